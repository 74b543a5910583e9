using System.Xml;

namespace Epcis.Formats.Xml;

/// <summary>A bound of <see cref="ReaderLimits"/> was passed.</summary>
internal sealed class XmlLimitException(string limit, int line = 0, int column = 0) : XmlException(limit, null, line, column)
{
    /// <summary>The bound in words, without the place.</summary>
    public string Limit { get; } = limit;
}

/// <summary>The document has a DOCTYPE. The parser's own refusal has no place; this one has.</summary>
public sealed class XmlDoctypeException(int line, int column, Exception inner) : XmlException(inner.Message, inner, line, column);
