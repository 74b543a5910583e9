using System.Text;
using System.Text.RegularExpressions;
using Gateway.Units;
using YamlDotNet.RepresentationModel;

namespace Gateway.Intake;

/// <summary>Reads a mapping's file (docs/mappings.md). Whatever is wrong in it is told at once, each with its line.</summary>
internal static partial class MappingFile
{
    private const int MaxLength = 256 << 10;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{0,58}[a-z0-9]$")]
    private static partial Regex NameForm();

    public static Mapping? Read(string yaml, out IReadOnlyList<MappingError> errors)
    {
        var found = new List<MappingError>();
        errors = found;
        if (yaml.Length > MaxLength)
        {
            found.Add(new MappingError(1, 1, "It is too large for a mapping."));
            return null;
        }
        if (MappingText.Open(yaml, found) is not { } file)
        {
            return null;
        }
        var name = file.Demand("mapping");
        if (name.Length > 0 && !NameForm().IsMatch(name))
        {
            file.Wrong(file.Node("mapping"), "A mapping's name has small letters, digits, dots and hyphens.");
        }
        if (!file.Has("version"))
        {
            file.Wrong(null, "version is missing.");
        }
        var version = file.Number("version", 1, 9999, 1);
        ReaderKind? kind = file.Text("reader", "delimited", "fixed", "xml", "jsonl", "scans", "epcis") switch
        {
            "delimited" => ReaderKind.Delimited,
            "fixed" => ReaderKind.Fixed,
            "xml" => ReaderKind.Xml,
            "jsonl" => ReaderKind.JsonLines,
            "scans" => ReaderKind.Scans,
            "epcis" => ReaderKind.Epcis,
            _ => null,
        };
        if (kind is null && !file.Has("reader"))
        {
            file.Wrong(null, "reader is missing: delimited, fixed, xml, jsonl, scans or epcis.");
        }
        var rules = file.Maps("records").Select(r => RuleOf(r, kind)).OfType<RecordRule>().ToList();
        if (kind is not (null or ReaderKind.Scans or ReaderKind.Epcis) && rules.Count == 0)
        {
            file.Wrong(file.Node("records"), "records is missing: what records say.");
        }
        var mapping = new Mapping(name, version, file.Demand("title"), kind ?? ReaderKind.Delimited)
        {
            Form = FormOf(file, kind ?? ReaderKind.Delimited),
            Line = file.From("line"),
            Rules = rules,
            Ignored = file.Texts("ignore").ToHashSet(StringComparer.Ordinal),
            IsRepeatedAClaim = file.Text("repeated", "claim", "again") == "claim",
            ClosesContainers = file.Flag("closesContainers"),
            Counters = CountersOf(file),
            Facts = file.Map("facts") is { } facts ? End(facts, SourcesOf(facts), "facts") : new FactSources(),
        };
        if (file.Map("time") is { } time)
        {
            mapping = mapping with { TimePatterns = Or(time.Texts("pattern"), mapping.TimePatterns), Zone = time.From("zone") };
            if (mapping.Zone is null && mapping.TimePatterns.FirstOrDefault(p => p != "iso" && !p.Contains('z', StringComparison.Ordinal) && !p.Contains('K', StringComparison.Ordinal)) is { } local)
            {
                time.Wrong(time.Node("pattern"), $"zone is missing: '{local}' does not say of which zone a time is.");
            }
            time.End("time");
        }
        if (file.Map("date") is { } date)
        {
            mapping = mapping with { DatePatterns = Or(date.Texts("pattern"), mapping.DatePatterns) };
            date.End("date");
        }
        file.End("A mapping");
        return found.Count == 0 ? mapping : null;

        static IReadOnlyList<string> Or(IReadOnlyList<string> given, IReadOnlyList<string> otherwise) => given.Count > 0 ? given : otherwise;
    }

    private static T End<T>(MappingText map, T value, string what)
    {
        map.End(what);
        return value;
    }

    private static List<(string, IReadOnlyList<string>)> CountersOf(MappingText file)
    {
        var counters = new List<(string, IReadOnlyList<string>)>();
        if (file.Map("counters") is { } map)
        {
            foreach (var (key, value) in map.Entries)
            {
                var terms = map.Texts(key);
                counters.Add((key, terms));
                if (terms.FirstOrDefault(t => !UnitBalance.Terms.Contains(t)) is { } unknown)
                {
                    map.Wrong(value, $"There is no term {unknown}; there are {string.Join(", ", UnitBalance.Terms)}.");
                }
            }
        }
        return counters;
    }

    private static FactSources SourcesOf(MappingText map) => new()
    {
        Time = map.From("time"),
        Lot = map.From("lot"),
        Expiry = map.From("expiry"),
        Reason = map.From("reason"),
        Station = map.From("station"),
        Device = map.From("device"),
        Person = map.From("person"),
    };

    private static RecordRule? RuleOf(MappingText map, ReaderKind? kind)
    {
        var rule = new RecordRule(map.Text("kind") ?? "row")
        {
            When = ConditionOf(map, "when"),
            Object = [.. map.Maps("object").Select(ObjectOf).OfType<ObjectForm>()],
            Each = map.Text("each"),
            Sources = SourcesOf(map),
            Say = SayOf(map),
            Parent = [.. map.Maps("parent").Select(ObjectOf).OfType<ObjectForm>()],
            IsInEnclosing = map.Text("into", "enclosing") is not null,
            Partial = ConditionOf(map, "partial"),
            Mixed = ConditionOf(map, "mixed"),
        };
        if (kind != ReaderKind.Epcis && rule.Object.Count == 0)
        {
            map.Wrong(null, "object is missing: which unit the record is about.");
        }
        if (rule.Say.Count == 0 && rule.Parent.Count == 0 && !rule.IsInEnclosing)
        {
            map.Wrong(null, "say is missing: what the record says of the unit.");
        }
        map.End("A rule");
        return rule;
    }

    private static List<SaidFact> SayOf(MappingText map)
    {
        var facts = new List<SaidFact>();
        IReadOnlyList<YamlNode> nodes = map.Node("say") switch { null => [], YamlSequenceNode list => [.. list.Children], var one => [one] };
        foreach (var node in nodes)
        {
            if (node is YamlScalarNode { Value: { } word })
            {
                if (FactOf(map, node, word) is { } kind)
                {
                    facts.Add(new SaidFact(kind));
                }
            }
            else if (map.Of(node, "say") is { } said)
            {
                if (FactOf(said, said.Node("fact") ?? node, said.Demand("fact")) is { } kind)
                {
                    facts.Add(new SaidFact(kind) { When = ConditionOf(said, "when"), Sources = SourcesOf(said) });
                }
                said.End("say");
            }
        }
        return facts;
    }

    private static FactKind? FactOf(MappingText map, YamlNode at, string word)
    {
        foreach (var kind in Enum.GetValues<FactKind>())
        {
            if (Lifecycle.Word(kind) == word && kind is not (FactKind.Ship or FactKind.VoidShip or FactKind.Receive or FactKind.Return))
            {
                return kind;
            }
        }
        map.Wrong(at, $"'{word}' is no fact of a line, such as COMMISSION or PACK.");
        return null;
    }

    private static ObjectForm? ObjectOf(MappingText map)
    {
        var form = new ObjectForm
        {
            When = ConditionOf(map, "when"),
            Gtin = map.From("gtin"),
            Indicator = map.Text("indicator", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9") is [var indicator] ? indicator : null,
            Serial = map.From("serial"),
            Sscc = map.From("sscc"),
            Elements = map.From("elements"),
            Epc = map.From("epc"),
            Match = map.From("match") is { } of ? PatternOf(map, "as") is { } pattern ? (of, pattern) : null : null,
        };
        var ways = new[] { form.Gtin is not null && form.Serial is not null, form.Sscc is not null, form.Elements is not null, form.Epc is not null, form.Match is not null };
        if (ways.Count(w => w) != 1 || (form.Gtin is null) != (form.Serial is null))
        {
            map.Wrong(null, "A unit is named in one way: gtin and serial, sscc, elements, epc, or match and as.");
            return null;
        }
        map.End("A unit");
        return form;
    }

    private static Condition? ConditionOf(MappingText map, string key)
    {
        if (map.Map(key) is not { } when)
        {
            return null;
        }
        var parts = new List<(Source, IReadOnlyList<string>, Regex?)>();
        foreach (var (name, node) in when.Entries)
        {
            var texts = when.Texts(name);
            if (when.SourceOf(name, node, key) is { } of)
            {
                parts.Add(texts is [['~', ..] pattern] ? (of, [], Pattern(when, node, pattern[1..])) : (of, texts, null));
            }
        }
        return new Condition(parts);
    }

    private static Regex? PatternOf(MappingText map, string key) => Pattern(map, map.Node(key), map.Demand(key));

    private static Regex? Pattern(MappingText map, YamlNode? at, string pattern)
    {
        try
        {
            // Linear, whatever a file holds.
            return new Regex($"^(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, s_patience);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            map.Wrong(at, $"'{pattern}' is no pattern: {e.Message}");
            return null;
        }
    }

    private static FileForm FormOf(MappingText file, ReaderKind kind)
    {
        var form = new FileForm
        {
            Encoding = file.Text("encoding", "utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16") ?? "utf-8",
            ByteOrderMark = file.Text("byteOrderMark", "required", "forbidden", "allowed") ?? "allowed",
            AnnouncedRows = file.From("announcedRows"),
        };
        if (file.Map("file") is not { } map)
        {
            if (kind is ReaderKind.Fixed or ReaderKind.Xml or ReaderKind.Scans)
            {
                file.Wrong(null, "file is missing: how its bytes become records.");
            }
            return form;
        }
        form = kind switch
        {
            ReaderKind.Delimited => form with
            {
                Delimiter = map.Text("delimiter") ?? ",",
                HasQuotes = map.Text("quotes", "none", "double") != "none",
                HeaderPrefix = map.Text("headerPrefix"),
                Comment = map.Text("comment"),
                Columns = map.Texts("columns"),
            },
            ReaderKind.Fixed => FixedForm(map, form),
            ReaderKind.Xml => form with
            {
                Namespace = map.Text("namespace") ?? "",
                Root = map.Demand("root"),
                HeaderElements = map.Texts("header"),
                RecordElements = map.Texts("records").ToHashSet(StringComparer.Ordinal),
                CounterElement = map.Text("counters"),
            },
            ReaderKind.JsonLines => form with
            {
                Type = map.Text("type") ?? "typ",
                Sequence = map.Map("sequence") is { } s ? End(s, (s.Demand("device"), s.Demand("epoch"), s.Has("checked") ? s.Text("number") ?? "" : s.Demand("number")), "sequence") : null,
                IsSequenceChecked = map.Map("sequence")?.Flag("checked") == true,
                Clock = map.Map("clock") is { } c ? End(c, (c.Demand("type"), c.Demand("offset")), "clock") : null,
                ContextType = map.Text("context"),
            },
            ReaderKind.Scans => form with
            {
                Delimiter = map.Text("delimiter") ?? "\t",
                HasQuotes = false,
                Comment = map.Text("comment"),
                Columns = map.Texts("columns"),
                ScanColumns = (map.Demand("time"), map.Text("scanner") ?? "", map.Demand("mode"), map.Demand("data")),
                OpenModes = map.Texts("open").ToHashSet(StringComparer.Ordinal),
                AddModes = map.Texts("add").ToHashSet(StringComparer.Ordinal),
                CloseModes = map.Texts("close").ToHashSet(StringComparer.Ordinal),
                PartialModes = map.Texts("closePartial").ToHashSet(StringComparer.Ordinal),
            },
            _ => form,
        };
        map.End("file");
        return form;
    }

    private static FileForm FixedForm(MappingText map, FileForm form)
    {
        var records = new Dictionary<string, IReadOnlyList<FixedField>>(StringComparer.Ordinal);
        if (map.Map("records") is { } types)
        {
            foreach (var (type, node) in types.Entries)
            {
                if (types.Map(type) is { } fields)
                {
                    records[type] = [.. fields.Entries.Select(f => FieldOf(fields, f.Key, f.Value)).OfType<FixedField>()];
                }
            }
        }
        else
        {
            map.Wrong(null, "records is missing: the fields of each type of record.");
        }
        var trailer = new Dictionary<string, string>(StringComparer.Ordinal);
        if (map.Map("announces") is { } announces)
        {
            foreach (var (field, _) in announces.Entries)
            {
                trailer[field] = announces.Text(field, "records", "byteSum") ?? "";
            }
        }
        return form with
        {
            RecordLength = map.Number("length", 1, 10_000, 0),
            TypeLength = map.Number("type", 1, 20, 2),
            Records = records,
            HeaderRecord = map.Text("header"),
            TrailerRecord = map.Text("trailer"),
            Trailer = trailer,
            ByteSumModulus = map.Number("byteSumModulus", 2, int.MaxValue, 1_000_000),
        };
    }

    private static FixedField? FieldOf(MappingText fields, string name, YamlNode at)
    {
        var ends = (fields.Text(name) ?? "").Split('-');
        if (ends.Length is 1 or 2 && int.TryParse(ends[0], out var from) && int.TryParse(ends[^1], out var to) && from >= 1 && to >= from && to <= 10_000)
        {
            return new FixedField(name, from, to);
        }
        fields.Wrong(at, $"{name} is a position, or two such as 3-10, from 1.");
        return null;
    }
}
