namespace Gateway.Delivery.Channels;

/// <summary>The part of a partner's answer that the attempt keeps.</summary>
internal static class KeptAnswer
{
    public const int MaxLength = 4 * 1024;

    /// <summary>As text that PostgreSQL holds, without these secrets.</summary>
    public static string Of(string answer, params IEnumerable<string?> secrets)
    {
        var masked = secrets.Where(s => !string.IsNullOrEmpty(s)).Aggregate(answer, (text, secret) => text.Replace(secret!, "***", StringComparison.Ordinal)).Replace('\0', '\uFFFD');
        if (masked.Length <= MaxLength)
        {
            return masked;
        }
        // Half of a surrogate pair is no text: the outcome of the attempt could not be recorded with it.
        return masked[..(char.IsHighSurrogate(masked[MaxLength - 1]) ? MaxLength - 1 : MaxLength)];
    }
}
