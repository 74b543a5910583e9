using Epcis.Events;

namespace Epcis.Formats;

/// <summary>The Standard Business Document Header as a tree of elements, which both XML and an extension of JSON hold.</summary>
internal static class BusinessDocumentHeader
{
    public const string Namespace = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";
    public const string Name = "StandardBusinessDocumentHeader";
    public const string Prefix = "sbdh";

    /// <summary>The parts that findings are about, and whose places are noted.</summary>
    public static readonly string[] Parts = [Name, "Sender", "Receiver", "DocumentIdentification", "InstanceIdentifier", "Type"];

    /// <summary>The name under which the place of an element is noted, such as <c>Sender/0</c> for the identifier of the first sender.</summary>
    /// <param name="parties">Counts the identifiers of senders and of receivers.</param>
    public static string? PathOf(string parent, string name, int[] parties) => (parent, name) switch
    {
        ("Sender", "Identifier") => FormattableString.Invariant($"Sender/{parties[0]++}"),
        ("Receiver", "Identifier") => FormattableString.Invariant($"Receiver/{parties[1]++}"),
        ("DocumentIdentification", "InstanceIdentifier" or "Type") => name,
        (_, "Sender" or "Receiver" or "DocumentIdentification") => name,
        _ => null,
    };

    public static bool Is(Extension extension) => extension is { Namespace: Namespace, Name: Name };

    /// <param name="whole">As XML gives it; of JSON, the tree that XML would read.</param>
    public static StandardBusinessDocumentHeader Of(Extension whole)
    {
        var identification = whole.Children.FirstOrDefault(c => c.Name == "DocumentIdentification")?.Children ?? [];
        return new StandardBusinessDocumentHeader
        {
            Senders = Parties(whole, "Sender"),
            Receivers = Parties(whole, "Receiver"),
            InstanceIdentifier = Text(identification, "InstanceIdentifier"),
            Type = Text(identification, "Type"),
            CreationDateAndTime = Text(identification, "CreationDateAndTime"),
            Whole = Qualified(whole),
        };
    }

    private static List<SbdhParty> Parties(Extension whole, string role) =>
    [
        .. whole.Children.Where(c => c.Name == role).SelectMany(c => c.Children).Where(c => c.Name == "Identifier")
            .Select(c => new SbdhParty(c.Attributes.FirstOrDefault(a => a.Name == "Authority")?.Value, c.Text?.Trim() ?? "")),
    ];

    private static string? Text(IReadOnlyList<Extension> children, string name) => children.LastOrDefault(c => c.Name == name)?.Text?.Trim();

    // Its elements are qualified; senders that leave the qualification out do occur.
    private static Extension Qualified(Extension element) => element with
    {
        Namespace = element.Namespace.Length == 0 ? Namespace : element.Namespace,
        Prefix = element.Prefix.Length == 0 ? Prefix : element.Prefix,
        Children = [.. element.Children.Select(Qualified)],
    };
}
