using System.Globalization;
using Epcis.Identifiers;

namespace Epcis.Tests.Identifiers;

/// <summary>The published vectors. Rows that are not followed are listed with the reason, and no others may fail.</summary>
public sealed class VectorTests
{
    private const string Folder = "standards/examples/identifiers/";

    private static readonly Lazy<CompanyPrefixes> s_table = new(() =>
        CompanyPrefixes.None.With(CompanyPrefixTable.Read(File.ReadLines(SharedFiles.Require("standards/identifiers/gcp-length-table.csv"))).Value!));

    /// <summary>A vector without a length was made with GS1's table.</summary>
    private static CompanyPrefixes Prefixes(string length) =>
        length.Length == 0 ? s_table.Value : CompanyPrefixes.OfLength(int.Parse(length, CultureInfo.InvariantCulture));

    /// <summary>The source of the vectors leaves check digits unchecked in these.</summary>
    private static readonly string[] s_wrongCheckDigits =
    [
        "https://id.gs1.org/8017/123456789012345678", "https://google.com/8017/643963764374736343", "https://google.com/8017/667602231213121237",
        "https://riseagainst.com/songs/8006/123456789012356787/21/1111", "https://id.gs1.org/8006/123456789012345678", "https://id.gs1.org/8006/843948393494893434",
        "https://id.gs1.org/01/59850359038590/10/2z32746", "https://id.gs1.org/01/59046537003451/10/998877", "https://id.gs1.org/01/12475775757579/10/488484",
        "https://id.gs1.org/01/89359443847373/235/8398439", "https://id.gs1.org/255/12345678901234", "https://id.gs1.org/253/1234567890123A",
        "https://id.gs1.org/253/8438489238239", "https://id.gs1.org/8003/012345678901234ABCD", "https://benelog.com/horrem/402/12345678905123456",
        "https://benelog.com/horrem/402/95204454958349836", "https://hp.com/laptop/8018/301037675245142514", "https://hp.com/laptop/8018/654673483739829829",
        "https://id.gs1.org/8006/123456789012345678/21/1111", "https://id.gs1.org/8006/858588503943443038", "https://id.gs1.org/01/59850359038590/10/232746",
        "https://horrem.kerpen.de/417/5345364356436", "https://deutscheBahn.de/train/414/1234567890123/254/1234", "https://id.gs1.org/414/9359044384782/254/12",
        "https://id.gs1.org/414/6880009384938/254/12", "https://lidl.de/food/frozen/01/59046539203740/21/9302932", "https://id.gs1.org/00/012345678901234567",
        "https://marriot.in/blr/123/00/936658475845784857", "https://id.gs1.org/01/09520123456784/22/22A", "https://id.gs1.org/01/09520123435674/10/ABC1/21/12345?17=000101",
    ];

    /// <summary>The source leaves bare what an EPC URI escapes (TDS, 6.3.3), or a '%' in a link.</summary>
    private static readonly string[] s_unescaped =
    [
        "urn:epc:id:gdti:893489348949..\":?>", "urn:epc:id:ginc:48493047.38473!\"\"%/%&'()*+,-.:=", "urn:epc:id:grai:438478.374837.3:;<>=?AZ_az",
        "https://id.gs1.org/8003/01234567890128!\"%&'()*+,-.", "urn:epc:class:lgtin:4384738478.734.8484892%", "urn:epc:id:sgtin:234567.1890123./19:;<=>?AZ_az",
        "urn:epc:id:upui:787587.5483743.19:;<=>?AZ_az", "urn:epc:id:grai:123456789012..!\"%&'()*+,-.",
    ];

    /// <summary>A bare slash begins another part of a path, so these are other links, and broken ones.</summary>
    private static readonly string[] s_unescapedSlashes =
    [
        "https://id.gs1.org/8010/4748374/23748#94//8011/94304", "https://id.gs1.org/8010/9520885039434/38", "https://id.gs1.org/8004/3575958495850!\"/%_",
        "https://id.gs1.org/401/4849304738473!\"\"%/%&'()*+,-.:=", "https://id.gs1.org/01/49557283728732/10//8484892%",
        "https://id.gs1.org/01/12345678901231/10/!\"%&'()*+,-./19:;<=>", "https://id.gs1.org/01/12345678901231/21/!\"%&'()*+,-./",
        "https://id.gs1.org/01/78574584574857/235/!\"%&'()*+,-./", "https://id.gs1.org/8006/646734858938493844/21/!\"%&'()*+,-./1:;<=>=",
        "https://id.gs1.org/01/09312345678907/21/!\"%&'()*+,-./",
        // And (15) is an attribute, which belongs in the query.
        "https://id.dev.epcis.cloud/01/04006784292842/10/240/15/51010",
    ];

    /// <summary>Twelve digits are said where the key has not so many, or no reference behind them.</summary>
    private static readonly string[] s_prefixesTooLong = ["https://id.gs1.org/8010/123457-57578", "https://id.gs1.org/401/656987789012"];

    /// <summary>31 characters where GS1 allows 30.</summary>
    private static readonly string[] s_keysTooLong = ["https://id.gs1.org/8004/42512183.SENSOR.TR-07-AVE-583:1"];

    /// <summary>Of these only a part is read, since a bare '?' begins the query; they are sound links of something else.</summary>
    private static readonly string[] s_cutByQuery = ["https://id.gs1.org/253/8934893489494\":?>"];

    /// <summary>Sound; the source refuses it for its table.</summary>
    private static readonly string[] s_soundWithUnknownPrefix = ["https://id.gs1.org/8010/12345678901234A/8011/1111"];

    private static readonly Dictionary<string, string?> s_reasons = new (string[] Inputs, string? Code)[]
    {
        (s_wrongCheckDigits, ValueCodes.CheckDigit), (s_unescaped, ValueCodes.Escape), (s_unescapedSlashes, ValueCodes.Parts),
        (s_prefixesTooLong, ValueCodes.CompanyPrefix), (s_keysTooLong, ValueCodes.Length), (s_cutByQuery, null), (s_soundWithUnknownPrefix, null),
    }.SelectMany(r => r.Inputs.Select(i => (i, r.Code))).ToDictionary(r => r.i, r => r.Code);

    private static void OnlyListedRowsDiffer(IEnumerable<(string Input, bool Agrees, string? Code)> rows)
    {
        var differing = rows.Where(r => !r.Agrees).ToList();
        Assert.All(differing, r => Assert.True(s_reasons.TryGetValue(r.Input, out var code), $"{r.Input}: {r.Code}"));
        Assert.All(differing, r => Assert.Equal(s_reasons[r.Input], r.Code));
    }

    private static IReadOnlyList<IReadOnlyDictionary<string, string>> Rows(string file)
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + file));
        Assert.NotEmpty(rows);
        return rows;
    }

    [Fact]
    public void Every_strict_pair_is_translated_and_of_the_others_all_but_the_listed()
    {
        var answers = Rows("epc-digitallink-pairs.csv").Select(r =>
        {
            var read = Epc.Parse(r["input"], Prefixes(r["gcp_length"]));
            var translated = r["direction"] == "urn-to-dl" ? read.Value?.ToDigitalLink() : read.Value?.ToUrn();
            return (Row: r, Agrees: translated == r["expected"], read.Finding?.Code);
        }).ToList();
        Assert.All(answers.Where(a => a.Row["strict"] == "yes"), a => Assert.True(a.Agrees, a.Row["input"]));
        OnlyListedRowsDiffer(answers.Select(a => (a.Row["input"], a.Agrees, a.Code)));
    }

    [Fact]
    public void Every_listed_exception_is_one()
    {
        var met = Rows("epc-digitallink-pairs.csv").Select(r => r["input"]).Concat(Rows("validity.csv").Select(r => r["input"])).ToHashSet();
        Assert.All(s_reasons.Keys, input => Assert.Contains(input, met));
        Assert.All(s_reasons.Where(r => r.Value is not null), r => Assert.False(Epc.Parse(r.Key, CompanyPrefixes.OfLength(12)).Ok, r.Key));
    }

    [Fact]
    public void Every_element_string_vector_agrees_in_all_forms() => Assert.All(Rows("element-strings.csv"), r =>
    {
        var prefixes = Prefixes(r["gcp_length"]);
        foreach (var form in (string[])["epc_uri", "element_string", "digital_link"])
        {
            var read = Identify.Read(r[form], prefixes);
            Assert.Empty(read.Findings);
            Assert.Equal((r["type"], r["epc_uri"], r["digital_link"], r["element_string"]), (read.Type, read.Urn, read.Epc?.ToDigitalLink(), read.Epc?.ToPrintedElementString()));
            Assert.Equal(read.Epc, Epc.Parse(read.Epc!.ToElementString(), prefixes).Value);
        }
    });

    [Fact]
    public void Every_reject_is_refused_with_a_sentence() => Assert.All(Rows("rejects.csv"), r =>
    {
        // A class where one object was asked for, or an object where a class was, is no answer either.
        var read = Epc.Parse(r["input"], Prefixes(r["gcp_length"]));
        var wantsClass = r["operation"].Contains("ClassLevel", StringComparison.Ordinal);
        Assert.True(read.Finding is { Message.Length: > 0 } || read.Value is { } e && (e.ToUrn() is null || e.IsClass != wantsClass), r["input"]);
    });

    [Fact]
    public void Verdicts_agree_but_for_the_listed() => OnlyListedRowsDiffer(Rows("validity.csv").Select(r =>
    {
        var context = r["context"];
        var length = context.Split(' ')[^1];
        var read = Identify.Read(r["input"], length is "" or "validationContext" ? CompanyPrefixes.None : Prefixes(length));
        // "true" asks for the form that EPCIS wants: one key, its finest qualifier, no query.
        var valid = read.Valid && (!context.StartsWith("true", StringComparison.Ordinal) || read.Whole!.IsConstrained);
        return (r["input"], valid == (r["verdict"] == "valid"), read.Findings.FirstOrDefault(f => f.Severity == Severity.Error)?.Code);
    }));

    [Fact]
    public void Identifiers_are_normalised_as_the_event_hash_vectors_say() => Assert.All(Rows("digitallink-normalisation.csv"), r =>
    {
        var (input, expected) = (r["input"], r["normalised (empty = must be left alone)"]);
        var normal = EpcUri.IsEpcUri(input) ? EpcUri.Parse(input).Value?.ToDigitalLink() : EpcKey.Normalise(input);
        Assert.Equal(expected.Length == 0 ? input : expected, normal);
    });

    [Fact]
    public void The_application_identifiers_are_those_of_the_syntax_dictionary()
    {
        var lines = File.ReadLines(SharedFiles.Require("standards/identifiers/gs1-syntax-dictionary.txt")).Where(l => l.Length > 0 && l[0] != '#');
        var published = lines.SelectMany(l =>
        {
            var words = l.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            var range = words[0].Split('-').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            var isPredefined = words[1].Contains('*', StringComparison.Ordinal);
            return Enumerable.Range(range[0], range[^1] - range[0] + 1).Select(n => (
                n.ToString("D" + words[0].Split('-')[0].Length, CultureInfo.InvariantCulture), isPredefined, words[1].Contains('?', StringComparison.Ordinal),
                words.Any(w => w.StartsWith("dlpkey", StringComparison.Ordinal)),
                string.Join(' ', words.TakeWhile(w => w != "#").Where(w => w.StartsWith("req=", StringComparison.Ordinal)).Select(w => w[4..])),
                string.Join(',', words.TakeWhile(w => w != "#").Where(w => w.StartsWith("ex=", StringComparison.Ordinal)).Select(w => w[3..]))));
        });
        Assert.Equal(published.Order(), ApplicationIdentifier.All.Select(a => (a.Ai, a.HasPredefinedLength, a.MayBeAttribute, a.IsKey,
            string.Join(' ', a.Requires.Select(r => string.Join(',', r.Select(g => string.Join('+', g))))), string.Join(',', a.Excludes))).Order());
    }

    [Fact]
    public void The_schemes_are_as_the_tag_data_translation_has_them()
    {
        // The published patterns of an EPC URI, one for each length of the company prefix, and ours accept the same.
        var folder = SharedFiles.Require("standards/identifiers/tdt-2.2");
        foreach (var file in Directory.EnumerateFiles(folder, "*.json"))
        {
            var root = System.Text.Json.JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("tdt:epcTagDataTranslation").GetProperty("scheme");
            var level = root.GetProperty("level").EnumerateArray().First(l => l.GetProperty("type").GetString() == "PURE_IDENTITY");
            var scheme = EpcScheme.Named(root.GetProperty("name").GetString()!.Split('-')[0].ToLowerInvariant())!;
            foreach (var option in level.GetProperty("option").EnumerateArray())
            {
                var prefix = new string('1', int.Parse(option.GetProperty("optionKey").GetString()!, CultureInfo.InvariantCulture));
                var pattern = option.GetProperty("pattern").GetString()!;
                for (var reference = 0; reference <= 12; reference++)
                {
                    var tail = string.Concat(scheme.Tail.Select(f => "." + new string('1', f.MinLength)));
                    var urn = $"urn:epc:id:{scheme.Name}:{prefix}.{new string('1', reference)}{tail}";
                    Assert.True(System.Text.RegularExpressions.Regex.IsMatch(urn, pattern) == EpcUri.Parse(urn).Ok, $"{urn} and {pattern}");
                }
            }
        }
    }
}
