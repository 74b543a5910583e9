using Epcis.Identifiers;

namespace Gateway.Access;

/// <summary>
/// What a key may send (docs/decisions/0025): objects of these GS1 company prefixes, at places of these GLNs. Where a list is empty
/// the key is not bound in that; a key that is bound in nothing has no scope.
/// </summary>
public sealed record KeyScope
{
    /// <summary>Of prefixes, and of sites.</summary>
    public const int MaxEntries = 100;

    private KeyScope(string[] prefixes, string[] sites) => (Prefixes, Sites) = (prefixes, sites);

    /// <summary>GS1 company prefixes, 4 to 12 digits.</summary>
    public string[] Prefixes { get; }

    /// <summary>GLNs.</summary>
    public string[] Sites { get; }

    /// <summary>As it is stored; null when nothing binds.</summary>
    public static KeyScope? Of(string[]? prefixes, string[]? sites) => prefixes is { Length: > 0 } || sites is { Length: > 0 } ? new KeyScope(prefixes ?? [], sites ?? []) : null;

    /// <summary>As somebody asks for it; what stands twice counts once.</summary>
    /// <param name="refusal">Why there is no such scope; otherwise null.</param>
    public static KeyScope? Read(IReadOnlyList<string>? prefixes, IReadOnlyList<string>? sites, out string? refusal)
    {
        var wanted = (Prefixes: Distinct(prefixes), Sites: Distinct(sites));
        refusal = wanted switch
        {
            { Prefixes.Length: > MaxEntries } => $"prefixes are at most {MaxEntries}.",
            { Sites.Length: > MaxEntries } => $"sites are at most {MaxEntries}.",
            _ when Array.Find(wanted.Prefixes, p => p.Length is < 4 or > 12 || p.AsSpan().ContainsAnyExceptInRange('0', '9')) is { } wrong => $"'{wrong[..Math.Min(wrong.Length, 20)]}' is no GS1 company prefix: it has 4 to 12 digits.",
            _ => wanted.Sites.Select(s => Gln.Parse(s).Error is { } error ? $"sites: {error}" : null).FirstOrDefault(e => e is not null),
        };
        return refusal is null ? Of(wanted.Prefixes, wanted.Sites) : null;
    }

    /// <summary>The entries of a field in a form, whatever stands between them.</summary>
    public static string[] Entries(string text) => text.Split([' ', ',', ';', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    // A null within an array of JSON is an entry that is none.
    private static string[] Distinct(IReadOnlyList<string>? entries) => [.. (entries ?? []).Select(e => (string?)e ?? "").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
