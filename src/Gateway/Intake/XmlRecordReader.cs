using System.Globalization;
using System.Xml;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Gateway.Intake;

/// <summary>
/// Elements of a vendor's XML: a record is an element at one of the mapping's paths below the root, its attributes are its values, and the
/// record that it stands in is its parent. Its number is its place among the records, as they begin.
/// </summary>
internal sealed class XmlRecordReader(FileForm form) : SourceReader(form)
{
    public override IEnumerable<SourceRecord> Read(Stream bytes)
    {
        var header = new Dictionary<string, string>(StringComparer.Ordinal);
        var path = new List<string>();
        var open = new List<SourceRecord?>();
        var (row, isRooted) = (0, false);
        using var xml = XmlReading.Create(bytes, ReaderLimits.Default);
        while (Next(xml, path.Count))
        {
            if (xml.NodeType == XmlNodeType.EndElement)
            {
                Leave();
                continue;
            }
            if (xml.NodeType != XmlNodeType.Element)
            {
                continue;
            }
            if (!isRooted)
            {
                if (xml.LocalName != Form.Root || xml.NamespaceURI != Form.Namespace)
                {
                    throw new FileRefusedException(IntakeCodes.Malformed, $"its root is {{{xml.NamespaceURI}}}{xml.LocalName}, and the mapping reads {{{Form.Namespace}}}{Form.Root}");
                }
                isRooted = true;
                Attributes(xml, header);
                continue;
            }
            path.Add(xml.LocalName);
            var at = string.Join('/', path);
            var isEmpty = xml.IsEmptyElement;
            SourceRecord? record = null;
            if (Form.RecordElements.Contains(at))
            {
                record = new SourceRecord(++row, at, header) { Parent = open.FindLast(r => r is not null) };
                Attributes(xml, record.Values);
            }
            else if (Form.HeaderElements.Contains(at))
            {
                Attributes(xml, header);
            }
            else if (at == Form.CounterElement)
            {
                Count(xml);
            }
            open.Add(record);
            if (record is not null)
            {
                yield return record;
            }
            if (isEmpty)
            {
                Leave();
            }
        }
        DemandCount(row, new SourceRecord(1, "", header));

        void Leave()
        {
            if (path.Count > 0)
            {
                path.RemoveAt(path.Count - 1);
                open.RemoveAt(open.Count - 1);
            }
        }
    }

    private static void Attributes(XmlReader xml, Dictionary<string, string> values)
    {
        while (xml.MoveToNextAttribute())
        {
            if (xml.NamespaceURI.Length == 0)
            {
                values[xml.LocalName] = xml.Value;
            }
        }
        xml.MoveToElement();
    }

    private void Count(XmlReader xml)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Attributes(xml, values);
        foreach (var (name, value) in values)
        {
            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                Counters[name] = count;
            }
        }
    }

    private static bool Next(XmlReader xml, int depth)
    {
        try
        {
            return xml.Read();
        }
        catch (XmlException e)
        {
            throw Refusal(e, xml, depth);
        }
    }

    /// <summary>Why a document ends where it cannot be read on.</summary>
    private static FileRefusedException Refusal(XmlException e, XmlReader xml, int depth) =>
        e is XmlDoctypeException ? new FileRefusedException(IntakeCodes.Dtd, "it has a document type declaration")
        : e.Message.Contains("Root element is missing", StringComparison.Ordinal) || xml.EOF || xml.ReadState == ReadState.Error && (e.Message.Contains("end of file", StringComparison.OrdinalIgnoreCase) || e.Message.Contains("not closed", StringComparison.OrdinalIgnoreCase))
            ? new FileRefusedException(IntakeCodes.Truncated, depth > 0 || xml.Depth > 0 ? "document ends inside an element" : "document ends before it begins")
        : e.Message.Contains("encoding", StringComparison.OrdinalIgnoreCase) ? new FileRefusedException(IntakeCodes.Encoding, "its bytes are not of its encoding")
        : new FileRefusedException(IntakeCodes.Malformed, FormattableString.Invariant($"line {e.LineNumber}, column {e.LinePosition}: {e.Message}"));
}
