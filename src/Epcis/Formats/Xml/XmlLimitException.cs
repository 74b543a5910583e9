using System.Xml;

namespace Epcis.Formats.Xml;

/// <summary>A bound of <see cref="ReaderLimits"/> was passed.</summary>
public sealed class XmlLimitException(string limit, int line = 0, int column = 0) : XmlException(limit, null, line, column)
{
    /// <summary>The bound in words, without the place.</summary>
    public string Limit { get; } = limit;
}
