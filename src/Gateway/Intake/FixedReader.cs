using System.Text;

namespace Gateway.Intake;

/// <summary>
/// Records of one length, told apart by how they begin. Looked at in this order: byte order mark, length, trailer, number of records,
/// sum of bytes. A record's number is its line.
/// </summary>
internal sealed class FixedReader(FileForm form) : SourceReader(form)
{
    public override IEnumerable<SourceRecord> Read(Stream bytes)
    {
        var encoding = Strict(Form.Encoding);
        var header = new Dictionary<string, string>(StringComparer.Ordinal);
        SourceRecord? trailer = null;
        var (line, sum, beforeTrailer) = (0, 0L, 0L);
        string? wrongLength = null;
        using var lines = new ByteLines(bytes);
        while (lines.Next())
        {
            line++;
            if (line == 1 && (lines.Line.Span.StartsWith(Encoding.UTF8.Preamble) || lines.Line.Span.StartsWith(Encoding.Unicode.Preamble) || lines.Line.Span.StartsWith(Encoding.BigEndianUnicode.Preamble)))
            {
                throw new FileRefusedException(IntakeCodes.Encoding, "a byte order mark stands at its beginning");
            }
            var text = Decode(encoding, lines.Line.Span);
            if (text.Length != Form.RecordLength)
            {
                wrongLength ??= FormattableString.Invariant($"line {line} has {text.Length} characters, and all have {Form.RecordLength}");
            }
            beforeTrailer = sum;
            foreach (var b in lines.Line.Span)
            {
                sum += b;
            }
            if (wrongLength is not null)
            {
                continue; // of such a file nothing is used
            }
            if (trailer is not null)
            {
                throw new FileRefusedException(IntakeCodes.Malformed, FormattableString.Invariant($"line {line} stands behind the trailer"));
            }
            var record = Record(text, line, header);
            if (record.Kind == Form.TrailerRecord)
            {
                trailer = record;
            }
            else if (record.Kind == Form.HeaderRecord)
            {
                foreach (var (name, value) in record.Values)
                {
                    header[name] = value;
                }
            }
            else
            {
                yield return record;
            }
        }
        if (wrongLength is not null)
        {
            throw new FileRefusedException(IntakeCodes.RecordLength, wrongLength);
        }
        if (Form.TrailerRecord is not null)
        {
            Demand(trailer ?? throw new FileRefusedException(IntakeCodes.Truncated, "no trailer record"), "records", line, IntakeCodes.CountMismatch);
            Demand(trailer, "byteSum", beforeTrailer % Form.ByteSumModulus, IntakeCodes.Checksum);
        }
        DemandCount(line, trailer ?? new SourceRecord(line, "", header));
    }

    private void Demand(SourceRecord trailer, string what, long found, string code)
    {
        foreach (var (field, announces) in Form.Trailer)
        {
            if (announces == what && (!long.TryParse(trailer.Values.GetValueOrDefault(field), out var announced) || announced != found))
            {
                throw new FileRefusedException(code, FormattableString.Invariant($"{trailer.Values.GetValueOrDefault(field)} announced, {found} found"));
            }
        }
    }

    private SourceRecord Record(string text, int line, Dictionary<string, string> header)
    {
        var kind = text[..Math.Min(Form.TypeLength, text.Length)];
        if (!Form.Records.TryGetValue(kind, out var fields))
        {
            return new SourceRecord(line, kind, header);
        }
        var record = new SourceRecord(line, kind, header);
        foreach (var field in fields)
        {
            record.Values[field.Name] = field.From > text.Length ? "" : text[(field.From - 1)..Math.Min(field.To, text.Length)].Trim();
        }
        return record;
    }

    private static string Decode(Encoding encoding, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return encoding.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Undecodable(e);
        }
    }
}
