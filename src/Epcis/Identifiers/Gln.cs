using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>A Global Location Number: 13 digits with check digit. It names a party or a place; partners are routed by it.</summary>
public sealed record Gln
{
    private Gln(string digits) => Value = digits;

    /// <summary>13 digits; the last is the check digit.</summary>
    public string Value { get; }

    /// <summary>Reads 13 digits.</summary>
    public static Parsed<Gln> Parse(string digits) =>
        (Digits.Refuse("GLN", digits, 13) ?? CheckDigit.Refuse("GLN", digits)) is { } finding ? finding : new Gln(digits);

    /// <summary>Reads SGLN and PGLN URIs, Digital Links of (414) and (417), element strings of both, and 13 bare digits.</summary>
    public static Parsed<Gln> FromAny(string value)
    {
        if (EpcUri.IsEpcUri(value))
        {
            return EpcUri.Parse(value).Then<Gln>(uri => uri is { Kind: EpcUriKind.PureIdentity, Scheme: "sgln" or "pgln" }
                ? new Gln(uri.SchemeOfKey.KeyOf(uri.Components[0], uri.Components[1]))
                : new ValueFinding(ValueCodes.Scheme, $"{ValueFinding.Cut(value)} holds no GLN.", 1) { Got = uri.Scheme, Want = "urn:epc:id:sgln:… or urn:epc:id:pgln:…" });
        }
        if (DigitalLink.IsWebAddress(value))
        {
            return DigitalLink.Parse(value).Then(link => link.KeyAi is "414" or "417"
                ? Parse(link.Key)
                : new ValueFinding(ValueCodes.Scheme, $"{ValueFinding.Cut(value)} holds no GLN.", 1) { Got = $"/{link.KeyAi}/", Want = "/414/… or /417/…" });
        }
        return Digits.AreAll(value) && value.Length == 13
            ? Parse(value)
            : ElementString.Parse(value).Then(e => e.Require(e.Has("414") ? "414" : "417")).Then(Parse);
    }

    /// <summary>As <see cref="FromAny"/>, for whoever does not need to know why not.</summary>
    public static bool TryFromAny(string value, [NotNullWhen(true)] out string? gln13)
    {
        gln13 = FromAny(value).Value?.Value;
        return gln13 is not null;
    }

    /// <summary>The 13 digits.</summary>
    public override string ToString() => Value;
}
