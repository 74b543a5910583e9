namespace Gateway.Host.Simulate;

/// <summary>One request as the partner saw it.</summary>
/// <param name="Attempt">1 for the first time this message came to this path.</param>
/// <param name="Status">What was answered; <see langword="null"/> when no answer was given.</param>
public sealed record ReceivedMessage(
    string Path, string? IdempotencyKey, string Sha256, int Attempt, int? Status, DateTimeOffset At);
