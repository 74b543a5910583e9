using System.Globalization;

namespace Gateway.Intake;

/// <summary>What is wrong with a record, or with a file.</summary>
/// <param name="Code">One of <see cref="IntakeCodes"/>.</param>
/// <param name="Why">A sentence.</param>
/// <param name="Got">What stands there; null when nothing does.</param>
internal sealed record IntakeFault(string Code, string Why, string? Got = null);

/// <summary>The file is refused as a whole: nothing of it is applied.</summary>
internal sealed class FileRefusedException(string code, string detail) : Exception(detail)
{
    public string Code => code;
}

/// <summary>Something told of a file, besides what the ledger finds of its facts.</summary>
/// <param name="Row">Null when it is of the file as a whole.</param>
/// <param name="Epc">What it is about; null when that is not known.</param>
/// <param name="More">Further members, such as <c>device</c> and <c>seq</c>.</param>
internal sealed record IntakeFinding(string Code, int? Row, string Why, string? Epc = null, string? Got = null, IReadOnlyList<(string Name, object Value)>? More = null)
{
    /// <summary>It changes no outcome.</summary>
    public bool IsWarning => Code is IntakeCodes.PrefixLength or IntakeCodes.Duplicate;

    public string Sentence => (Row is { } row ? string.Create(CultureInfo.InvariantCulture, $"Record {row}: ") : "") + Why;
}

/// <summary>The codes of what mappings find (LINES.md sections 1, 6, 7 and 9, and what those describe without naming). Each has its page of help.</summary>
public static class IntakeCodes
{
    /// <summary>The file ends before its end.</summary>
    public const string Truncated = "file.truncated";

    /// <summary>Bytes that are not of the encoding, or a mark that must not or must be there.</summary>
    public const string Encoding = "file.encoding";

    /// <summary>Announced and found differ.</summary>
    public const string CountMismatch = "file.count_mismatch";

    /// <summary>The sum of the trailer is another.</summary>
    public const string Checksum = "file.checksum";

    /// <summary>A record has another length than all.</summary>
    public const string RecordLength = "file.record_length";

    /// <summary>A document type declaration.</summary>
    public const string Dtd = "file.dtd";

    /// <summary>It is not the shape that the mapping reads.</summary>
    public const string Malformed = "file.malformed";

    /// <summary>More records than are taken at once.</summary>
    public const string TooMany = "file.too_many";

    /// <summary>A record that cannot be read.</summary>
    public const string Record = "record.malformed";

    /// <summary>What a record must say is not there.</summary>
    public const string Missing = "record.field_missing";

    /// <summary>No rule of the mapping fits.</summary>
    public const string Unknown = "record.unknown";

    /// <summary>Too long for its application identifier.</summary>
    public const string Length = "gs1.length";

    /// <summary>A separator was lost.</summary>
    public const string Separator = "gs1.separator_missing";

    /// <summary>A check digit is wrong.</summary>
    public const string CheckDigit = "gs1.check_digit";

    /// <summary>No identifier of a unit.</summary>
    public const string Syntax = "gs1.syntax";

    /// <summary>The company prefix was cut at another length.</summary>
    public const string PrefixLength = "id.gcp_length";

    /// <summary>No time, or none that was.</summary>
    public const string TimeInvalid = "time.invalid";

    /// <summary>Later than now.</summary>
    public const string TimeFuture = "time.future";

    /// <summary>No date.</summary>
    public const string DateInvalid = "date.invalid";

    /// <summary>A container that nobody can read.</summary>
    public const string ParentInvalid = "agg.parent_invalid";

    /// <summary>A scan without a container that is open.</summary>
    public const string ScanNotOpen = "scan.not_open";

    /// <summary>A container that was opened and not closed.</summary>
    public const string ScanNotClosed = "scan.not_closed";

    /// <summary>The same message again.</summary>
    public const string Duplicate = "seq.duplicate";

    /// <summary>The number of a message with other content.</summary>
    public const string Conflict = "seq.conflict";

    /// <summary>Messages that never came.</summary>
    public const string Gap = "seq.gap";

    /// <summary>A counter differs from what the serial numbers say.</summary>
    public const string Mismatch = "recon.mismatch";
}
