namespace Epcis.Formats.Xml;

/// <summary>The roots of EPCIS XML. The namespace decides the version; schemaVersion only repeats it.</summary>
internal static class XmlRoot
{
    public const string Document = "EPCISDocument";
    public const string QueryDocument = "EPCISQueryDocument";
    public const string MasterDataDocument = "EPCISMasterDataDocument";

    /// <summary>Without the version at its end.</summary>
    public const string EpcisNamespace = "urn:epcglobal:epcis:xsd:";

    /// <inheritdoc cref="EpcisNamespace"/>
    public const string QueryNamespace = "urn:epcglobal:epcis-query:xsd:";

    /// <inheritdoc cref="EpcisNamespace"/>
    public const string MasterDataNamespace = "urn:epcglobal:epcis-masterdata:xsd:";

    public static bool IsEpcisNamespace(string ns) =>
        ns.StartsWith(EpcisNamespace, StringComparison.Ordinal) || IsQueryNamespace(ns) || ns.StartsWith(MasterDataNamespace, StringComparison.Ordinal);

    public static bool IsQueryNamespace(string ns) => ns.StartsWith(QueryNamespace, StringComparison.Ordinal);

    /// <summary><see cref="DocumentForm.Unknown"/> unless name and namespace together are one of the six roots.</summary>
    public static DocumentForm FormOf(string name, string ns)
    {
        var family = name switch
        {
            Document => EpcisNamespace,
            QueryDocument => QueryNamespace,
            MasterDataDocument => MasterDataNamespace,
            _ => null,
        };
        return family is null || !ns.StartsWith(family, StringComparison.Ordinal)
            ? DocumentForm.Unknown
            : ns.AsSpan(family.Length) switch
            {
                "1" => DocumentForm.Xml12,
                "2" => DocumentForm.Xml20,
                _ => DocumentForm.Unknown,
            };
    }

    public static bool IsEvent(string name) => name is
        "ObjectEvent" or "AggregationEvent" or "TransactionEvent" or "TransformationEvent" or "AssociationEvent" or "QuantityEvent";
}
