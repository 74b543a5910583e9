using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace Gateway.Intake;

/// <summary>
/// Rows of cells with something between them (RFC 4180, or without quotes): lines that begin with the header's prefix are a name and a value,
/// then come the names of the columns unless the mapping has them, then the rows. A record's number is that of its first line.
/// </summary>
internal sealed class DelimitedReader(FileForm form) : SourceReader(form)
{
    private const int MaxCell = 100_000;

    public override IEnumerable<SourceRecord> Read(Stream bytes)
    {
        using var text = Text(bytes);
        using var rows = new CsvParser(text, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = Form.Delimiter,
            Mode = Form.HasQuotes ? CsvMode.RFC4180 : CsvMode.NoEscape,
            IgnoreBlankLines = true,
            MaxFieldSize = MaxCell,
            BadDataFound = null,
            DetectDelimiter = false,
        });
        var header = new Dictionary<string, string>(StringComparer.Ordinal);
        var columns = Form.Columns.Count > 0 ? Form.Columns : null;
        SourceRecord? last = null;
        var found = 0;
        for (var line = 1; Next(rows); line = rows.RawRow + 1)
        {
            var cells = rows.Record!;
            if (Form.Comment is { } comment && cells[0].StartsWith(comment, StringComparison.Ordinal))
            {
                continue;
            }
            if (Form.HeaderPrefix is { } prefix && columns is null && cells[0].StartsWith(prefix, StringComparison.Ordinal))
            {
                header[cells[0][prefix.Length..]] = cells.Length > 1 ? cells[1] : "";
            }
            else if (columns is null)
            {
                columns = [.. cells.Select(c => c.Trim())];
            }
            else
            {
                found++;
                yield return last = Record(rows.RawRow, header, columns, cells);
            }
        }
        if (columns is null)
        {
            throw new FileRefusedException(IntakeCodes.Truncated, "it ends before its first row");
        }
        DemandCount(found, last ?? new SourceRecord(1, "row", header));
    }

    private static SourceRecord Record(int line, Dictionary<string, string> header, IReadOnlyList<string> columns, string[] cells)
    {
        var record = new SourceRecord(line, "row", header)
        {
            Fault = cells.Length == columns.Count ? null : new IntakeFault(IntakeCodes.Record, FormattableString.Invariant($"The row has {cells.Length} cells, and there are {columns.Count} columns.")),
        };
        for (var i = 0; i < Math.Min(cells.Length, columns.Count); i++)
        {
            record.Values[columns[i]] = cells[i];
        }
        return record;
    }

    private static bool Next(CsvParser rows)
    {
        try
        {
            return rows.Read();
        }
        catch (DecoderFallbackException e)
        {
            throw Undecodable(e);
        }
        catch (CsvHelperException e) when (e.InnerException is DecoderFallbackException inner)
        {
            throw Undecodable(inner);
        }
        catch (CsvHelperException e)
        {
            throw new FileRefusedException(IntakeCodes.Malformed, FormattableString.Invariant($"line {rows.RawRow + 1} cannot be read: {e.Message.Split('\n')[0]}"));
        }
    }
}
