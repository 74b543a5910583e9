using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The names of the GS1 US guideline, and how its parts are found in a document.</summary>
internal static class Dscsa
{
    public const string Namespace = "http://epcis.gs1us.org/hc/ns";
    public const string MasterData = "urn:epcglobal:cbv:mda";
    public const string Guideline13 = "GS1 US DSCSA R1.3";

    /// <summary>Of an element of the guideline; JSON declares the prefix, or does not.</summary>
    public static Extension? Find(IReadOnlyList<Extension> extensions, string name)
    {
        foreach (var extension in extensions)
        {
            if (extension.Name == name && (extension.Namespace.StartsWith(Namespace, StringComparison.Ordinal) || extension.Prefix == "gs1ushc"))
            {
                return extension;
            }
        }
        return null;
    }

    /// <summary>A field of ilmd, such as <c>lotNumber</c>.</summary>
    public static string? IlmdOf(EpcisEvent e, string name)
    {
        var ilmd = e switch { ObjectEvent o => o.Ilmd, TransformationEvent t => t.Ilmd, _ => [] };
        foreach (var extension in ilmd)
        {
            if (extension.Name == name)
            {
                return TextOf(extension);
            }
        }
        return null;
    }

    /// <summary>The text as XML has it, or as a JSON string or literal.</summary>
    public static string? TextOf(Extension? extension) => (extension?.Text ?? extension?.Json?.Trim('"'))?.Trim();

    public static bool IsShipping(EpcisEvent e) => EventTerms.BizStep(e) == "shipping" && e.ErrorDeclaration is null;

    public static bool IsCommissioning(EpcisEvent e) => e is ObjectEvent && EventTerms.BizStep(e) == "commissioning";

    public static bool Commissions(EpcisEvent e, Predicate<string> kind) => IsCommissioning(e) && ((ObjectEvent)e).EpcList.Any(x => kind(x));

    /// <summary>The value of a source or destination of a type; <see langword="null"/> when there is none.</summary>
    public static string? End(IReadOnlyList<SourceOrDestination> ends, string type) =>
        ends.FirstOrDefault(s => Cbv.CbvTerms.BareOrNull(Cbv.CbvVocabulary.SourceDestType, s.Type) == type)?.Value;

    /// <summary>A master data attribute by its own name: writers put <c>#</c> or <c>:</c> before it.</summary>
    public static string? Attribute(VocabularyElement element, string name)
    {
        foreach (var attribute in element.Attributes)
        {
            if (attribute.Id.EndsWith(name, StringComparison.Ordinal)
                && (attribute.Id.Length == name.Length || attribute.Id[^(name.Length + 1)] is '#' or ':' or '/'))
            {
                return attribute.Value;
            }
        }
        return null;
    }

    public static bool IsProduct(VocabularyElement element) => element.VocabularyType.EndsWith(":EPCClass", StringComparison.Ordinal) || element.VocabularyType.EndsWith("/EPCClass", StringComparison.Ordinal);

    public static bool IsLocation(VocabularyElement element) =>
        element.VocabularyType.EndsWith("Location", StringComparison.Ordinal) || element.VocabularyType.EndsWith("ReadPoint", StringComparison.Ordinal);
}
