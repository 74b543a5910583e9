namespace Gateway.Http.Help;

/// <summary>What is found of the files of lines.</summary>
internal static class LineTopics
{
    private const string Files = "LINES.md, section 9", Names = "LINES.md, section 1", Clocks = "LINES.md, section 7", Messages = "LINES.md, section 6";
    private const string Whole = "Nothing of the file is applied, and its bytes are kept.", Aside = "The record is set aside, and the others are applied.";

    public static HelpTopic[] All { get; } =
    [
        new("GW-INT-01", "The mapping is not approved", "A file is read for good only by a mapping that somebody has approved, and this one is not, or was withdrawn.", "Try the file with dryRun=true, look at what comes of it, and let an officer approve the mapping. Then send the file again."),
        new("GW-INT-02", "The mapping cannot be used", "The file of the mapping says what a mapping cannot say. The answer's detail names each fault with its line.", "Correct the file at those lines; docs/mappings.md tells what may stand there."),
        new("GW-INT-03", "No result yet", "The file is not processed yet, or processing ended without a result.", "Ask again, or look at the capture."),
        new("GW-INT-04", "Taken in otherwise", "The same bytes were taken in before, by another mapping, of another run, or as EPCIS. A file is read in one way, so that its facts are not told twice.", "Look at the earlier capture, which the answer names. Where it was read wrongly, have its events declared in error, and let the line write the file anew."),
        new("file.truncated", "The file is cut off", $"The file ends before its end: its trailer is missing, or it ends inside an element or a message. {Whole}", "Send the whole file.", Files),
        new("file.encoding", "Another encoding", $"Bytes of the file are not of the encoding that the mapping names, or a byte order mark stands where none may, or lacks where one must. {Whole}", "Write the file in that encoding, or use the mapping for the encoding it has.", Files),
        new("file.count_mismatch", "Another number of records", $"The file announces another number of records than it holds. {Whole}", "Find the records that are missing or too many, and send the file again.", Files),
        new("file.checksum", "Another sum", $"The sum in the file's trailer is not that of its bytes. {Whole}", "Send the file again; it was changed on its way.", Files),
        new("file.record_length", "A record of another length", $"Every record has one length, and one has another. {Whole}", "Look at the line that the finding names: a character may have been lost or converted.", Files),
        new("file.dtd", "A document type declaration", $"The file has a DOCTYPE, which is never read. {Whole}", "Remove the declaration.", Files),
        new("file.malformed", "Not that shape", $"The file is not of the shape that the mapping reads. {Whole}", "See whether it was sent to the mapping it belongs to.", Files),
        new("file.too_many", "Too many records", $"The file has more records than are taken at once. {Whole}", "Send it in parts, or raise Intake:MaxRecords.", Files),
        new("record.malformed", "A record that cannot be read", $"The record has too many or too few cells, or is no message. {Aside}", "Look at the line; correct it at its source and send what is missing.", Files),
        new("record.field_missing", "Something is missing in a record", $"The record does not say what it must, such as which unit it is about. {Aside}", "Correct it at its source and send what is missing.", Files),
        new("record.unknown", "No rule fits the record", $"The record has a status or type that the mapping does not know. {Aside}", "Ask the line what it means. If it is right, write a new version of the mapping that knows it.", Files),
        new("gs1.form", "No spelling of a GS1 key", $"The value is no element string, EPC URI or Digital Link. {Aside}", "Look at what is written or scanned there; gateway identify tells what a value is.", Names),
        new("gs1.parts", "Parts are missing", $"The value has too few or too many parts, or they are in the wrong order. {Aside}", "Look at what is written or scanned there; gateway identify tells what a value is.", Names),
        new("gs1.length", "Too long or too short", $"A value has more or fewer characters than its application identifier allows. If it is too long, a separator may have been lost; where it ends is never guessed. {Aside}", "Have the scanner send GS (0x1D) behind values of variable length, and scan again.", Names),
        new("gs1.character", "A character that may not be there", $"A value has a character that it cannot have, such as a letter in a GTIN. {Aside}", "Correct it at its source.", Names),
        new("gs1.check_digit", "Wrong check digit", $"The check digit of a GTIN or SSCC does not fit the digits before it. {Aside}", "Read the number once more; it was mistyped, or misread.", Names),
        new("gs1.ai", "No application identifier", $"The value begins with digits that are no application identifier of GS1. {Aside}", "See whether a separator was lost before them.", Names),
        new("gs1.date", "No date", $"Six digits that should be a date are none. {Aside}", "Correct it at its source.", Names),
        new("gs1.value", "A value that may not be", $"A value breaks a rule of its own. {Aside}", "Correct it at its source.", Names),
        new("gs1.twice", "Said twice, differently", $"The same application identifier stands there twice with different values. {Aside}", "Correct it at its source, or read the codes one by one: two labels may have been read as one.", Names),
        new("gs1.association", "Application identifiers that do not fit together", "An application identifier lacks one that it needs beside it, or stands beside one that excludes it. The key itself is understood.", "Correct the label at its source.", Names),
        new("gs1.spelling", "An old or another spelling", "The value is understood, and is not as the standard writes it today.", "Nothing must be done. The finding says how it is written today; tell the sender.", Names),
        new("gs1.ambiguous", "It may be another key", "The same digits can mean more than one key, or a symbol holds more than one. What was taken for the key is in the finding.", "Send an EPC URI, a Digital Link or an element string, which say what they are.", Names),
        new("gs1.escape", "A broken escape", $"A percent sign is not followed by two hexadecimal digits. {Aside}", "Correct it at its source.", Names),
        new("gs1.scheme", "No EPC scheme", $"The EPC URI is of no scheme that exists. {Aside}", "Correct it at its source.", Names),
        new("gs1.separator_missing", "A separator may be missing", $"The serial number is none of the product's, as if the separator (FNC1, sent as GS) behind it had been lost; where it ends is never guessed. {Aside}", "Have the scanner send GS, and scan again. Compare the serial pattern of the product in the master data.", Names),
        new("gs1.syntax", "No unit", $"The value names no serialised unit: a GTIN with a serial number, or an SSCC. {Aside}", "Look at what the line sends there.", Names),
        new("id.gcp_length", "Company prefix of another length", "An EPC URI parts the company prefix from the rest at another place than master data say. It names the same unit, and is written as master data say.", "Tell the sender the length of the company prefix, or correct the master data.", Names),
        new("time.invalid", "No time", $"There is no time, it has another form than the mapping says, or it is of the hour that a change of the clocks left out. {Aside}", "Correct the time at its source.", Clocks),
        new("date.invalid", "No date", $"The expiry is no date of the form that the mapping says. {Aside}", "Correct it at its source.", Names),
        new("agg.parent_invalid", "A container that cannot be read", "The record names a container in a way that the mapping cannot read. The unit itself is taken; where it is packed is not.", "Correct the name of the container and tell the packing again.", "LINES.md, section 3"),
        new("scan.not_open", "No container is open", "A unit was scanned while no container was open, or a container was closed that was not the open one. The scan is set aside.", "Scan the container's label first, and the same label at the end."),
        new("scan.not_closed", "A container was never closed", "A container was opened and its label was not scanned again. What was scanned is taken; nothing is packed.", "Scan the container once more, with all that is in it."),
        new("seq.duplicate", "The same message again", "A device sent a message a second time, unchanged. It counts once.", "Nothing: repeating is harmless.", Messages),
    ];
}
