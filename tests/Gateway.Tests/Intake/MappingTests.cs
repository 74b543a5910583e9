using System.Globalization;
using System.Text;
using Gateway.Intake;
using Gateway.MasterData;

namespace Gateway.Tests.Intake;

/// <summary>What mappings read in general, and what they refuse: each with its place, and nothing half done.</summary>
public sealed class MappingTests
{
    private const string Unit = "09521234001010";
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly LineMasterData Known = LineMasterData.Read("""
        {"companyPrefixes": ["9521234"], "products": [{"name": "Demozol", "unitGtin": "09521234001010", "caseGtin": "59521234001015", "unitsPerCase": 2, "casesPerPallet": 2, "unitSerialPattern": "^[0-9A-Z]{4}$"}]}
        """);

    private const string Csv = """
        mapping: test-csv
        version: 1
        title: Test
        reader: delimited
        file: {delimiter: ";", quotes: none, headerPrefix: "#"}
        time: {pattern: "dd.MM.yyyy HH:mm:ss", zone: header.TZ}
        facts: {time: at, lot: header.LOT, expiry: "'2028-08-31'"}
        records:
          - object: {gtin: gtin, serial: serial}
            say: COMMISSION
        """;

    private static IntakeResult Run(string yaml, byte[] file)
    {
        var (result, errors) = IntakeDryRun.Run(yaml, new MemoryStream(file), "test", Known, Now);
        Assert.Equal("", string.Join("\n", errors));
        return result!;
    }

    private static IntakeResult RunCsv(params string[] rows) => Run(Csv, Encoding.UTF8.GetBytes("#LOT;L1\n#TZ;Europe/Berlin\ngtin;serial;at\n" + string.Join('\n', rows) + "\n"));

    private static IEnumerable<string> Told(IntakeResult result) => result.Exceptions.Select(e => $"{e["code"]} {e["line"]}");

    [Fact]
    public void The_hour_that_comes_twice_is_told_apart_by_the_order_of_the_rows()
    {
        // 25 October 2026, 03:00 summer time is 02:00 winter time.
        var result = RunCsv($"{Unit};AAA1;25.10.2026 01:59:59", $"{Unit};AAA2;25.10.2026 02:10:00", $"{Unit};AAA3;25.10.2026 02:50:00", $"{Unit};AAA4;25.10.2026 02:05:00", $"{Unit};AAA5;25.10.2026 02:55:00", $"{Unit};AAA6;25.10.2026 03:00:00");
        Assert.Equal(["2026-10-24T23:59:59.000Z", "2026-10-25T00:10:00.000Z", "2026-10-25T00:50:00.000Z", "2026-10-25T01:05:00.000Z", "2026-10-25T01:55:00.000Z", "2026-10-25T02:00:00.000Z"], result.Facts.Select(f => (string)f["time"]!));
    }

    [Fact]
    public void A_record_that_cannot_be_taken_is_set_aside_with_its_line_and_the_others_are_taken()
    {
        var result = RunCsv(
            $"{Unit};AAA1;29.03.2026 02:30:00", $"{Unit};AAA2;31.12.2026 10:00:00", $"{Unit};AAA3;1.2.2026", "09521234001011;AAA4;01.02.2026 10:00:00", $"{Unit};AAA5X;01.02.2026 10:00:00", $"{Unit};;01.02.2026 10:00:00",
            $"{Unit};AAA6", $"{Unit};{new string('A', 21)};01.02.2026 10:00:00", $"{Unit};AAA7;01.02.2026 10:00:00");
        Assert.Equal(["time.invalid 4", "time.future 5", "time.invalid 6", "gs1.check_digit 7", "gs1.separator_missing 8", "record.field_missing 9", "record.malformed 10", "gs1.length 11"], Told(result));
        Assert.Equal("accepted_with_exceptions", result.Outcome);
        Assert.Equal("urn:epc:id:sgtin:9521234.000101.AAA7", Assert.Single(result.Facts)["epc"]);
    }

    [Theory]
    [InlineData("utf-8", "forbidden", "EFBBBF", "file.encoding")]
    [InlineData("utf-8", "required", "", "file.encoding")]
    [InlineData("utf-8", "allowed", "C328", "file.encoding")]
    [InlineData("us-ascii", "allowed", "E4", "file.encoding")]
    public void Bytes_that_are_not_of_the_encoding_refuse_the_whole_file(string encoding, string mark, string first, string code)
    {
        var yaml = Csv.Replace("reader: delimited", $"reader: delimited\nencoding: {encoding}\nbyteOrderMark: {mark}", StringComparison.Ordinal);
        var result = Run(yaml, [.. Convert.FromHexString(first), .. Encoding.UTF8.GetBytes($"#LOT;L1\n#TZ;UTC\ngtin;serial;at\n{Unit};AAA1;01.02.2026 10:00:00\n")]);
        Assert.Equal(("rejected", code, 0, 0), (result.Outcome, result.FileErrors[0]["code"], result.Facts.Count, result.FinalState.Count));
    }

    private const string Fixed = """
        mapping: test-fixed
        version: 1
        title: Test
        reader: fixed
        encoding: iso-8859-1
        file:
          length: 20
          type: 1
          trailer: T
          records: {U: {serial: 2-5, at: 6-19}, T: {records: 2-5, sum: 6-11}}
          announces: {records: records, sum: byteSum}
        time: {pattern: yyyyMMddHHmmss, zone: "'UTC'"}
        facts: {time: at, lot: "'L1'", expiry: "'2028-08-31'"}
        records:
          - kind: U
            object: {gtin: "'09521234001010'", serial: serial}
            say: COMMISSION
        """;

    [Fact]
    public void Records_of_one_length_are_counted_and_summed()
    {
        const string row = "UAAA120260201100000 ";
        string Trailer(int records, long sum) => string.Create(CultureInfo.InvariantCulture, $"T{records:0000}{sum:000000}         ");
        var sum = row.Sum(c => c);
        string Code(string file) => Run(Fixed, Encoding.Latin1.GetBytes(file)) is var result && result.FileErrors.Count == 0 ? result.Outcome : (string)result.FileErrors[0]["code"]!;
        Assert.Equal("accepted", Code($"{row}\r\n{Trailer(2, sum)}\r\n"));
        Assert.Equal("file.count_mismatch", Code($"{row}\r\n{Trailer(3, sum)}\r\n"));
        Assert.Equal("file.checksum", Code($"{row}\r\n{Trailer(2, sum + 1)}\r\n"));
        Assert.Equal("file.truncated", Code($"{row}\r\n"));
        Assert.Equal("file.record_length", Code($"{row[..^1]}\r\n{Trailer(2, sum)}\r\n"));
        Assert.Equal("file.malformed", Code($"{Trailer(1, 0)}\r\n{row}\r\n"));
        // Length before trailer, trailer before count, count before sum.
        Assert.Equal("file.record_length", Code($"{row[..^1]}\r\n"));
        Assert.Equal("file.count_mismatch", Code($"{row}\r\n{Trailer(9, 9)}\r\n"));
    }

    [Theory]
    [InlineData("<!DOCTYPE r [<!ENTITY a 'b'>]><r/>", "file.dtd")]
    [InlineData("<r><u s='AAA1'", "file.truncated")]
    [InlineData("<r><u s='AAA1' t='2026-02-01T10:00:00Z'/>", "file.truncated")]
    [InlineData("", "file.truncated")]
    [InlineData("<r><u></r>", "file.malformed")]
    [InlineData("<x/>", "file.malformed")]
    public void Xml_that_cannot_be_read_to_its_end_leaves_nothing(string xml, string code)
    {
        var result = Run("""
            mapping: test-xml
            version: 1
            title: Test
            reader: xml
            file: {root: r, records: u}
            facts: {time: t, lot: "'L1'"}
            records: [{kind: u, object: {gtin: "'09521234001010'", serial: s}, say: COMMISSION}]
            """, Encoding.UTF8.GetBytes(xml));
        Assert.Equal(("rejected", code, 0), (result.Outcome, result.FileErrors[0]["code"], result.Facts.Count));
    }

    private const string Stream = """
        mapping: test-stream
        version: 1
        title: Test
        reader: jsonl
        file: {sequence: {device: dev, epoch: ep, number: seq}}
        facts: {time: ts, lot: "'L1'"}
        records: [{kind: made, object: {gtin: "'09521234001010'", serial: s}, say: COMMISSION}]
        """;

    [Fact]
    public void A_stream_that_ends_in_the_middle_of_a_message_is_refused_and_a_bad_message_is_set_aside()
    {
        const string good = """{"dev":"A","ep":1,"seq":1,"ts":"2026-02-01T10:00:00Z","typ":"made","s":"AAA1"}""";
        var cut = Run(Stream, Encoding.UTF8.GetBytes(good + "\n" + good[..30]));
        Assert.Equal(("rejected", "file.truncated"), (cut.Outcome, cut.FileErrors[0]["code"]));
        var bad = Run(Stream, Encoding.UTF8.GetBytes(good + "\n{nothing}\n[1]\n" + good.Replace("\"seq\":1", "\"seq\":4", StringComparison.Ordinal).Replace("AAA1", "AAA2", StringComparison.Ordinal) + "\n"));
        Assert.Equal(["record.malformed 2", "record.malformed 3", "seq.gap "], Told(bad));
        Assert.Equal(2, bad.Facts.Count);
    }

    private const string Scans = """
        mapping: test-scans
        version: 1
        title: Test
        reader: scans
        file: {columns: [time, scanner, mode, data], time: time, scanner: scanner, mode: mode, data: data, open: OPEN, add: ADD, close: CLOSE}
        """;

    [Fact]
    public void Scans_without_an_open_container_are_set_aside_and_one_never_closed_packs_nothing()
    {
        string Line(int second, string mode, string data) => $"2026-02-01T10:00:{second:00}+00:00\tH1\t{mode}\t{data}\n";
        var pack = $"01{Unit}21AAA1\u001d10L1\u001d17280800";
        var result = Run(Scans, Encoding.UTF8.GetBytes(Line(1, "ADD", pack) + Line(2, "OPEN", "015952123400101521C1") + Line(3, "ADD", pack) + Line(4, "CLOSE", "015952123400101521C2") + Line(5, "SHAKE", pack)));
        Assert.Equal(["scan.not_open 1", "scan.not_closed 2", "scan.not_open 4", "record.unknown 5"], Told(result));
        Assert.Equal(["COMMISSION", "COMMISSION"], result.Facts.Select(f => (string)f["type"]!));
    }

    [Fact]
    public void What_is_wrong_in_a_mapping_is_told_with_its_line()
    {
        static string Errors(string yaml) => IntakeDryRun.Run(yaml, new MemoryStream(), "x", Known, Now).Errors is { Count: > 0 } errors ? string.Join("\n", errors) : "";
        Assert.Contains("line 4, column 9: reader is delimited or fixed", Errors(Csv.Replace("reader: delimited", "reader: csv", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("line 5, column 59: file has no 'colour'", Errors(Csv.Replace("headerPrefix: \"#\"", "headerPrefix: \"#\",   colour: red", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("line 10, column 10: 'PAINT' is no fact", Errors(Csv.Replace("say: COMMISSION", "say: PAINT", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("line 9, column 13: A unit is named in one way", Errors(Csv.Replace("{gtin: gtin, serial: serial}", "{gtin: gtin}", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("is no pattern", Errors(Csv.Replace("{gtin: gtin, serial: serial}", "{match: x, as: \"(\"}", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("It is no YAML", Errors("mapping: [x"), StringComparison.Ordinal);
        Assert.Contains("one map", Errors("just text"), StringComparison.Ordinal);
        Assert.Contains("too large", Errors(new string('x', 300_000)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_mapping_of_the_folder_can_be_used()
    {
        foreach (var path in Directory.GetFiles(Repository.File("mappings"), "*.yaml"))
        {
            var mapping = MappingFile.Read(File.ReadAllText(path), out var errors);
            Assert.True(errors.Count == 0, $"{path}: {string.Join(" ", errors)}");
            Assert.Equal(Path.GetFileNameWithoutExtension(path), mapping!.Name);
        }
    }

    [Fact]
    public void Many_units_that_were_made_one_after_another_are_few_events_that_say_when_each_was()
    {
        var rows = Enumerable.Range(0, 2_500).Select(i => string.Create(CultureInfo.InvariantCulture, $"{Unit};{(char)('A' + i / 1000)}{i % 1000:000};01.02.2026 10:{i / 60:00}:{i % 60:00}")).ToArray();
        using var file = new MemoryStream(Encoding.UTF8.GetBytes("#LOT;L1\n#TZ;UTC\ngtin;serial;at\n" + string.Join('\n', rows) + "\n"));
        var context = new IntakeContext(Known.Products, Now, new byte[32]);
        using var reader = new IntakeReader(file, MappingFile.Read(Csv, out _)!, context);
        var events = new List<Epcis.Events.EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
        }
        Assert.Equal(42, events.Count); // a minute each
        Assert.Equal(events.Count, events.Select(e => e.EventId).Distinct().Count());
        var facts = events.SelectMany((e, n) => Gateway.Units.EventFacts.Of(new Gateway.Units.LedgerEvent(e, n))).ToList();
        Assert.Equal(rows.Length, facts.Sum(f => f.Epcs.Count));
        Assert.Equal(new DateTimeOffset(2026, 2, 1, 10, 41, 39, TimeSpan.Zero), facts.Max(f => f.Time));
    }
}
