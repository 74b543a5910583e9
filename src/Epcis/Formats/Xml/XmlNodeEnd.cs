using System.Xml;

namespace Epcis.Formats.Xml;

/// <summary>
/// Where the node that a parser stands on ends. The parser tells only where nodes begin, and refuses a DOCTYPE without any
/// place; a DOCTYPE stands right behind the node before it. White space inside a tag or between a processing instruction's
/// name and text is not kept by the parser and counts as one space.
/// </summary>
internal sealed class XmlNodeEnd(XmlReader reader)
{
    private readonly IXmlLineInfo _lines = (IXmlLineInfo)reader;
    private (XmlNodeType Type, int Line, int Column, string Text) _node;

    /// <summary>To be called before the parser moves on. Outside the root only: no DOCTYPE is recognised within.</summary>
    public void Remember()
    {
        if (reader.Depth == 0 && reader.ReadState == ReadState.Interactive)
        {
            _node = (reader.NodeType, _lines.LineNumber, _lines.LinePosition, reader.NodeType switch
            {
                XmlNodeType.Comment => reader.Value + "-->",
                XmlNodeType.XmlDeclaration or XmlNodeType.ProcessingInstruction => reader.Name + (reader.Value.Length > 0 ? " " : "") + reader.Value + "?>",
                XmlNodeType.EndElement => reader.Name + ">",
                XmlNodeType.Element => "",
                _ => reader.Value,
            });
        }
    }

    public (int Line, int Column) Place()
    {
        if (_node.Type == XmlNodeType.None)
        {
            return (1, 1);
        }
        var lastBreak = _node.Text.LastIndexOf('\n');
        return lastBreak < 0
            ? (_node.Line, _node.Column + _node.Text.Length)
            : (_node.Line + _node.Text.Count('\n'), _node.Text.Length - lastBreak);
    }
}
