using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Epcis;

namespace Gateway.MasterData;

/// <summary>
/// Master data as CSV (RFC 4180, UTF-8, comma or semicolon): a heading, then a row for each product, or for each location. Columns
/// have the names of the API's members, in any order. A column that is not there leaves what is known; an empty cell empties it.
/// </summary>
internal static class CsvMasterData
{
    // What a cell makes of a record; null when it cannot be read.
    private static readonly Dictionary<string, Func<Product, string, Product?>> s_product = new(StringComparer.Ordinal)
    {
        ["gtin"] = (p, _) => p,
        ["name"] = (p, v) => p with { Name = v },
        ["ndc"] = (p, v) => p with { Ndc = v },
        ["markets"] = (p, v) => p with { Markets = v },
        ["manufacturer"] = (p, v) => p with { Manufacturer = v },
        ["dosageForm"] = (p, v) => p with { DosageForm = v },
        ["strength"] = (p, v) => p with { Strength = v },
        ["netContent"] = (p, v) => p with { NetContent = v },
        ["level"] = (p, v) => p with { Level = OrNull(v) },
        ["holds"] = (p, v) => p with { Holds = OrNull(v) },
        ["quantity"] = (p, v) => TryInt(v, out var n) ? p with { Quantity = n } : null,
        ["mixedLots"] = (p, v) => TryBool(v, out var b) ? p with { MixedLots = b } : null,
        ["perLogisticUnit"] = (p, v) => TryInt(v, out var n) ? p with { PerLogisticUnit = n } : null,
        ["ssccPrefix"] = (p, v) => p with { SsccPrefix = OrNull(v) },
        ["companyPrefixLength"] = (p, v) => TryInt(v, out var n) ? p with { CompanyPrefixLength = n } : null,
        ["serialPattern"] = (p, v) => p with { SerialPattern = OrNull(v) },
        ["withdrawn"] = (p, v) => TryBool(v, out var b) ? p with { Withdrawn = b } : null,
    };

    private static readonly Dictionary<string, Func<Location, string, Location?>> s_location = new(StringComparer.Ordinal)
    {
        ["gln"] = (l, _) => l,
        ["extension"] = (l, _) => l,
        ["name"] = (l, v) => l with { Name = v },
        ["kind"] = (l, v) => l with { Kind = v },
        ["street"] = (l, v) => l with { Street = v },
        ["street2"] = (l, v) => l with { Street2 = v },
        ["city"] = (l, v) => l with { City = v },
        ["state"] = (l, v) => l with { State = v },
        ["postalCode"] = (l, v) => l with { PostalCode = v },
        ["country"] = (l, v) => l with { Country = v },
        ["companyPrefixLength"] = (l, v) => TryInt(v, out var n) ? l with { CompanyPrefixLength = n } : null,
        ["withdrawn"] = (l, v) => TryBool(v, out var b) ? l with { Withdrawn = b } : null,
    };

    public static void Read(Stream file, WantedMasterData wanted)
    {
        try
        {
            using var text = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false, leaveOpen: true);
            var heading = text.ReadLine() ?? "";
            file.Position = 0;
            text.DiscardBufferedData();
            using var rows = new CsvParser(text, new CsvConfiguration(CultureInfo.InvariantCulture)
            {
                Delimiter = heading.Contains(';', StringComparison.Ordinal) && !heading.Contains(',', StringComparison.Ordinal) ? ";" : ",",
                TrimOptions = TrimOptions.Trim,
                BadDataFound = bad => wanted.Findings.Add(MasterDataFile.Unreadable("A quotation mark stands within a cell: cells with quotation marks, commas or line ends stand in quotation marks, and theirs are doubled.", new Place(bad.Context.Parser?.RawRow ?? 1, 1))),
            });
            if (!rows.Read() || rows.Record is not { } columns)
            {
                return;
            }
            columns[0] = columns[0].TrimStart('\uFEFF');
            if (columns.Contains("gtin"))
            {
                Rows(rows, columns, s_product, cells => new Product(cells("gtin")), wanted.Products, wanted.Findings);
            }
            else if (columns.Contains("gln"))
            {
                Rows(rows, columns, s_location, cells => new Location(cells("gln"), cells("extension")), wanted.Locations, wanted.Findings);
            }
            else
            {
                wanted.Findings.Add(MasterDataFile.Unreadable("The file is neither EPCIS nor CSV with a heading that has the column gtin (products) or gln (locations).", new Place(1, 1)));
            }
        }
        catch (DecoderFallbackException)
        {
            wanted.Findings.Add(MasterDataFile.Unreadable("The file is not in UTF-8.", new Place(1, 1)));
        }
        catch (CsvHelperException e)
        {
            wanted.Findings.Add(MasterDataFile.Unreadable("The CSV cannot be read on.", new Place(e.Context?.Parser?.RawRow ?? 1, 1)));
        }
    }

    private static void Rows<T>(CsvParser rows, string[] columns, Dictionary<string, Func<T, string, T?>> members, Func<Func<string, string>, T> named, List<Wanted<T>> wanted, Findings findings)
        where T : class
    {
        for (var i = 0; i < columns.Length; i++)
        {
            if (!members.ContainsKey(columns[i]) || Array.IndexOf(columns, columns[i]) < i)
            {
                findings.Add(new Finding("masterdata.column_unknown", Severity.Error, members.ContainsKey(columns[i]) ? $"The column {columns[i]} stands twice." : $"There is no column {columns[i]}.")
                {
                    Where = new Place(1, i + 1),
                    Got = columns[i],
                    Want = string.Join(", ", members.Keys),
                });
            }
        }
        if (findings.HasErrors)
        {
            return;
        }
        while (rows.Read() && wanted.Count <= MasterDataFile.MaxRecords)
        {
            var (cells, line) = (rows.Record!, rows.RawRow);
            if (cells.Length != columns.Length)
            {
                findings.Add(MasterDataFile.Unreadable($"The row has {cells.Length} cells, and the heading {columns.Length}.", new Place(line, Math.Min(cells.Length, columns.Length) + 1)));
                continue;
            }
            var apply = new List<(Func<T, string, T?> Member, string Cell)>();
            var key = named(name => Array.IndexOf(columns, name) is >= 0 and var at ? cells[at] : "");
            for (var i = 0; i < columns.Length; i++)
            {
                var member = members[columns[i]];
                if (member(key, cells[i]) is null)
                {
                    findings.Add(new Finding("masterdata.value_wrong", Severity.Error, $"{columns[i]} cannot be '{(cells[i].Length > 50 ? cells[i][..50] + "…" : cells[i])}': it is a whole number, or true or false.") { Where = new Place(line, i + 1), Got = cells[i] });
                }
                apply.Add((member, cells[i]));
            }
            wanted.Add(new Wanted<T>(key, record => apply.Aggregate(record, (r, a) => a.Member(r, a.Cell) ?? r), name => new Place(line, Math.Max(Array.IndexOf(columns, name), 0) + 1)));
        }
    }

    private static string? OrNull(string cell) => cell.Length == 0 ? null : cell;

    private static bool TryInt(string cell, out int? number)
    {
        var isNumber = int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out var read);
        number = isNumber ? read : null;
        return isNumber || cell.Length == 0;
    }

    private static bool TryBool(string cell, out bool value)
    {
        value = cell == "true";
        return cell is "" or "true" or "false";
    }
}
