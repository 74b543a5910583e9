using System.Text.RegularExpressions;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>The kinds of readers there are in code; everything else of a dialect is its mapping's.</summary>
internal enum ReaderKind
{
    Delimited,
    Fixed,
    Xml,
    JsonLines,
    Scans,
    Epcis,
}

/// <summary>How one dialect is read, as its file says (docs/mappings.md).</summary>
internal sealed record Mapping(string Name, int Version, string Title, ReaderKind Kind)
{
    /// <summary>As captures name it.</summary>
    public string Id => FormattableString.Invariant($"{Name}@{Version}");

    public required FileForm Form { get; init; }

    /// <summary>Patterns of times; <c>iso</c> is ISO 8601.</summary>
    public IReadOnlyList<string> TimePatterns { get; init; } = ["iso"];

    /// <summary>Where the zone of local times stands; null when each time says its offset.</summary>
    public Source? Zone { get; init; }

    /// <summary>Patterns of dates; <c>iso</c> is ISO 8601, <c>yyMMdd</c> GS1's.</summary>
    public IReadOnlyList<string> DatePatterns { get; init; } = ["iso"];

    /// <summary>Where the code of the line stands; null when the file does not say it.</summary>
    public Source? Line { get; init; }

    /// <summary>What holds for the facts of every rule that says nothing else.</summary>
    public FactSources Facts { get; init; } = new();

    public IReadOnlyList<RecordRule> Rules { get; init; } = [];

    /// <summary>Kinds of records that say nothing of units.</summary>
    public IReadOnlySet<string> Ignored { get; init; } = new HashSet<string>();

    /// <summary>A second record of the same unit is only another claim of where it is packed.</summary>
    public bool IsRepeatedAClaim { get; init; }

    /// <summary>The containers of the file are complete: their lines have closed them.</summary>
    public bool ClosesContainers { get; init; }

    /// <summary>What machines counted: the name in the file, and what it is compared with.</summary>
    public IReadOnlyList<(string Counter, IReadOnlyList<string> Terms)> Counters { get; init; } = [];
}

/// <summary>How the bytes of a file become records. Each reader kind uses what is its own.</summary>
internal sealed record FileForm
{
    public string Encoding { get; init; } = "utf-8";

    /// <summary><c>required</c>, <c>forbidden</c> or <c>allowed</c>.</summary>
    public string ByteOrderMark { get; init; } = "allowed";

    // Delimited and scans.
    public string Delimiter { get; init; } = ",";
    public bool HasQuotes { get; init; } = true;
    public string? HeaderPrefix { get; init; }
    public string? Comment { get; init; }

    /// <summary>Names of the columns; none: the first row names them.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    // Fixed.
    public int RecordLength { get; init; }
    public int TypeLength { get; init; }
    public IReadOnlyDictionary<string, IReadOnlyList<FixedField>> Records { get; init; } = new Dictionary<string, IReadOnlyList<FixedField>>();
    public string? HeaderRecord { get; init; }
    public string? TrailerRecord { get; init; }

    /// <summary>What the trailer announces: <c>records</c> (all, with header and trailer), <c>byteSum</c>, or a counter.</summary>
    public IReadOnlyDictionary<string, string> Trailer { get; init; } = new Dictionary<string, string>();
    public int ByteSumModulus { get; init; } = 1_000_000;

    // XML.
    public string Namespace { get; init; } = "";
    public string Root { get; init; } = "";
    public IReadOnlyList<string> HeaderElements { get; init; } = [];
    public IReadOnlySet<string> RecordElements { get; init; } = new HashSet<string>();
    public string? CounterElement { get; init; }

    // JSON lines.
    public string Type { get; init; } = "typ";
    public (string Device, string Epoch, string Sequence)? Sequence { get; init; }

    /// <summary>Whoever stored the messages has told already what came twice, or not at all.</summary>
    public bool IsSequenceChecked { get; init; }
    public (string Type, string Milliseconds)? Clock { get; init; }
    public string? ContextType { get; init; }

    // Scans.
    public (string Time, string Scanner, string Mode, string Data) ScanColumns { get; init; }
    public IReadOnlySet<string> OpenModes { get; init; } = new HashSet<string>();
    public IReadOnlySet<string> AddModes { get; init; } = new HashSet<string>();
    public IReadOnlySet<string> CloseModes { get; init; } = new HashSet<string>();
    public IReadOnlySet<string> PartialModes { get; init; } = new HashSet<string>();

    /// <summary>Where the number of rows is announced.</summary>
    public Source? AnnouncedRows { get; init; }
}

/// <param name="From">Position of the first character, from 1.</param>
/// <param name="To">Position of the last character.</param>
internal sealed record FixedField(string Name, int From, int To);

/// <summary>Where what is said beside a fact stands.</summary>
internal sealed record FactSources
{
    public Source? Time { get; init; }
    public Source? Lot { get; init; }
    public Source? Expiry { get; init; }
    public Source? Reason { get; init; }
    public Source? Station { get; init; }
    public Source? Device { get; init; }
    public Source? Person { get; init; }

    /// <summary>What is missing here is as it is there.</summary>
    public FactSources Or(FactSources other) => new()
    {
        Time = Time ?? other.Time,
        Lot = Lot ?? other.Lot,
        Expiry = Expiry ?? other.Expiry,
        Reason = Reason ?? other.Reason,
        Station = Station ?? other.Station,
        Device = Device ?? other.Device,
        Person = Person ?? other.Person,
    };
}

/// <summary>What a record has to say for a rule to fit: of each name one of the texts, or a pattern.</summary>
internal sealed record Condition(IReadOnlyList<(Source Of, IReadOnlyList<string> Texts, Regex? Pattern)> Parts)
{
    public bool Fits(SourceRecord record)
    {
        foreach (var (of, texts, pattern) in Parts)
        {
            var text = of.Of(record) ?? "";
            if (pattern is null ? !texts.Contains(text) : !pattern.IsMatch(text))
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary>One way in which a record names a unit or container.</summary>
internal sealed record ObjectForm
{
    public Condition? When { get; init; }
    public Source? Gtin { get; init; }

    /// <summary>The packaging indicator that takes the place of the GTIN's own.</summary>
    public char? Indicator { get; init; }
    public Source? Serial { get; init; }
    public Source? Sscc { get; init; }

    /// <summary>An element string.</summary>
    public Source? Elements { get; init; }

    /// <summary>An EPC URI or Digital Link.</summary>
    public Source? Epc { get; init; }

    /// <summary>A text that a pattern takes apart into <c>gtin</c> and <c>serial</c>, or <c>sscc</c>.</summary>
    public (Source Of, Regex Pattern)? Match { get; init; }

    /// <summary>The first source that it reads: without a text there, nothing is named.</summary>
    public Source First => Serial ?? Sscc ?? Elements ?? Epc ?? Match?.Of ?? Gtin!;
}

/// <summary>A fact that a rule says.</summary>
internal sealed record SaidFact(FactKind Kind)
{
    public Condition? When { get; init; }
    public FactSources Sources { get; init; } = new();
}

/// <summary>What records of a kind say.</summary>
internal sealed record RecordRule(string Kind)
{
    public Condition? When { get; init; }

    /// <summary>The forms in which the unit may be named, of which the first that fits counts; none when the rule is of <see cref="Children"/>.</summary>
    public IReadOnlyList<ObjectForm> Object { get; init; } = [];

    /// <summary>A member with several texts, each of which names a unit: <see cref="Object"/> reads it as <c>item</c>.</summary>
    public string? Each { get; init; }

    public FactSources Sources { get; init; } = new();
    public IReadOnlyList<SaidFact> Say { get; init; } = [];

    /// <summary>The container that the unit is packed into, or unpacked from.</summary>
    public IReadOnlyList<ObjectForm> Parent { get; init; } = [];

    /// <summary>The unit is packed into the container whose record it stands in.</summary>
    public bool IsInEnclosing { get; init; }

    public Condition? Partial { get; init; }
    public Condition? Mixed { get; init; }
}
