namespace Gateway.Http.Help;

/// <summary>What a person who meets a code needs to know.</summary>
/// <param name="What">What happened, in a sentence or two.</param>
/// <param name="Do">What mends it.</param>
/// <param name="Clause">The part of a standard that is behind it.</param>
public sealed record HelpTopic(string Code, string Title, string What, string Do, string? Clause = null);
