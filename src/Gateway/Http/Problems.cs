using System.Diagnostics;
using Epcis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Http;

/// <summary>
/// Every error answer (RFC 9457) is made here. <c>type</c> is GS1's where it has one (EPCIS 2.0, errors of the REST binding);
/// <c>code</c> is ours and never changes meaning.
/// </summary>
public static class Problems
{
    private const string Validation = "epcisException:ValidationException";
    private const string Limit = "epcisException:CaptureLimitExceededException";

    public static ProblemHttpResult Unauthorized() =>
        Of(401, "epcisException:SecurityException", "Not signed in", "Send a valid key: Authorization: Bearer <key>.", "GW-ACC-01");

    public static ProblemHttpResult Forbidden() =>
        Of(403, "epcisException:SecurityException", "Not allowed", "The key's role has no permission for this.", "GW-ACC-02");

    public static ProblemHttpResult TooManyRequests(int seconds) =>
        Of(429, "epcisException:ImplementationException", "Too many requests", $"Wait {seconds} s and go on; nothing of this request was done.", "GW-ACC-03");

    public static ProblemHttpResult FormOutOfDate() =>
        Of(400, "epcisException:SecurityException", "The form is out of date", "Load the page again and send the form again.", "GW-ACC-04");

    public static ProblemHttpResult KeyEnded() =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "The key cannot be changed", "The key has been revoked or has expired already.", "GW-ACC-05");

    public static ProblemHttpResult BeyondMaker(string detail) =>
        Of(403, "epcisException:SecurityException", "The key would carry more than its maker", detail, "GW-ACC-06");

    public static ProblemHttpResult PersonNotChanged(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "The person cannot be changed", detail, "GW-ACC-07");

    /// <summary>The stable code in an answer made here.</summary>
    public static string CodeOf(ProblemHttpResult problem) => (string)problem.ProblemDetails.Extensions["code"]!;

    public static ProblemHttpResult NotFound(string what) =>
        Of(404, "epcisException:NoSuchResourceException", "Not found", $"There is no {what}, or it is not yours.", "GW-HTTP-01");

    public static ProblemHttpResult BadParameter(string detail) =>
        Of(400, "epcisException:QueryParameterException", "Wrong parameter", detail, "GW-HTTP-02");

    public static ProblemHttpResult BadPageToken(string detail) =>
        Of(400, "epcisException:QueryParameterException", "Wrong page token", detail, "GW-QRY-01");

    public static ProblemHttpResult NotAcceptable(string detail) =>
        Of(406, "epcisException:NotAcceptableException", "Not acceptable", detail, "GW-HTTP-03");

    public static ProblemHttpResult Unavailable(string detail) =>
        Of(503, "epcisException:ImplementationException", "Try again", detail, "GW-HTTP-04");

    /// <summary>COMPLIANCE.md section 4: success is told only after a confirmed commit.</summary>
    public static ProblemHttpResult OutcomeUnknown() =>
        Of(503, "epcisException:ImplementationException", "Outcome unknown", "The database has not confirmed the outcome. Repeat the request with the same Idempotency-Key.", "GW-HTTP-05");

    public static ProblemHttpResult StorageFull() =>
        Of(507, "epcisException:ImplementationException", "No room in the database", "The database's disk is full; nothing of the request is stored. Send it again later.", "GW-HTTP-12");

    public static ProblemHttpResult Invalid(string detail, string code = "GW-HTTP-06") =>
        Of(422, Validation, "Invalid request", detail, code);

    public static ProblemHttpResult WrongMethod() =>
        Of(405, "about:blank", "Wrong method", "This address takes other methods: see the Allow header.", "GW-HTTP-07");

    public static ProblemHttpResult NotJson() =>
        Of(415, "epcisException:UnsupportedMediaTypeException", "The body is not JSON", "Send Content-Type: application/json.", "GW-HTTP-08");

    public static ProblemHttpResult Malformed(string detail) =>
        Of(400, Validation, "The request cannot be read", detail, "GW-HTTP-09");

    /// <summary>What failed is in the log under the same traceId, and nowhere else.</summary>
    public static ProblemHttpResult Failed(string traceId) =>
        Of(500, "epcisException:ImplementationException", "Failed inside the gateway", $"Something went wrong that should not; it was logged as {traceId}.", "GW-HTTP-10");

    public static ProblemHttpResult TooLarge() =>
        Of(413, Limit, "Request too large", "The body is larger than this address takes.", "GW-HTTP-11");

    public static ProblemHttpResult UnsupportedMediaType(string? got) =>
        Of(415, "epcisException:UnsupportedMediaTypeException", "Unsupported media type", $"Send application/xml, text/xml, application/json or application/ld+json, plain or gzip; got {got ?? "none"}.", "GW-CAP-01");

    public static ProblemHttpResult UnsupportedEncoding(string got) =>
        Of(415, "epcisException:UnsupportedMediaTypeException", "Unsupported content encoding", $"Send the body plain or with one layer of gzip; got {got}.", "GW-CAP-02");

    public static ProblemHttpResult CaptureTooLarge(long maxBytes) =>
        Of(413, Limit, "Capture too large", $"At most {maxBytes} bytes per capture, counted after decompression.", "GW-CAP-03");

    public static ProblemHttpResult CompressionRatio(int maxRatio) =>
        Of(413, Limit, "Compression ratio too high", $"A gzip body may inflate at most {maxRatio} times.", "GW-CAP-04");

    /// <summary>The document cannot be read at all; its bytes are kept, no event is stored.</summary>
    public static ProblemHttpResult Unreadable(IReadOnlyList<Finding> findings, string? captureId) =>
        Of(400, Validation, "Document cannot be read", findings.Count > 0 ? findings[0].Message : "The document cannot be read.", "GW-CAP-05", findings, ("captureID", captureId));

    public static ProblemHttpResult KeyReused() =>
        Of(422, Validation, "Idempotency-Key reused", "This Idempotency-Key was used with other bytes. Send the same bytes, or a new key.", "GW-CAP-06");

    public static ProblemHttpResult StillRunning() =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Still running", "The first request with this Idempotency-Key is not finished. Ask again shortly.", "GW-CAP-07");

    public static ProblemHttpResult MappingNotApproved(string detail) =>
        Of(409, "about:blank", "Mapping not approved", detail, "GW-INT-01");

    public static ProblemHttpResult TakenOtherwise(Guid captureId, string? mapping) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Taken in otherwise", $"The same bytes were taken in before, {(mapping is null ? "as EPCIS" : $"by the mapping {mapping}")}: capture {captureId}. One file is read in one way.", "GW-INT-04", more: ("captureID", captureId));

    public static ProblemHttpResult NothingYet(string detail) =>
        Of(409, "about:blank", "No result", detail, "GW-INT-03");

    public static ProblemHttpResult BadKey() =>
        Of(400, Validation, "Wrong Idempotency-Key", "An Idempotency-Key has 1 to 255 printable ASCII characters.", "GW-CAP-08");

    public static ProblemHttpResult EmptyBody() =>
        Of(400, Validation, "Empty body", "The request has no document.", "GW-CAP-09");

    public static ProblemHttpResult BodyBroken(string detail) =>
        Of(400, Validation, "Body cannot be read", detail, "GW-CAP-10");

    /// <summary>More at once than the gateway takes; nothing of the request is kept.</summary>
    public static ProblemHttpResult Busy() =>
        Of(503, "epcisException:ImplementationException", "Too many documents at once", "Other documents are being received. Send it again after the wait that Retry-After names.", "GW-CAP-12");

    public static ProblemHttpResult NoRoomForBody() =>
        Of(507, "epcisException:ImplementationException", "No room for the document", "The gateway's disk has no room for a body of this size; nothing of it is kept. Send it again later.", "GW-CAP-13");

    /// <summary>The sender's connection, not its document: too slow, cut off, or not what its headers say.</summary>
    public static ProblemHttpResult BodyNotReceived(int status, string detail) =>
        Of(status, Validation, "Body did not arrive", detail, "GW-CAP-14");

    public static ProblemHttpResult NoFiles() =>
        Of(400, Validation, "No file", "Choose at least one EPCIS document; nothing was sent.", "GW-CAP-15");

    public static ProblemHttpResult TooManyFiles(int max) =>
        Of(413, Limit, "Too many files", $"At most {max} files at once; this one and those behind it were not taken.", "GW-CAP-16");

    /// <summary>As <see cref="OutcomeUnknown"/>, told to a person who chose a file and has no Idempotency-Key.</summary>
    public static ProblemHttpResult FileOutcomeUnknown() =>
        Of(503, "epcisException:ImplementationException", "Outcome unknown", "The database has not confirmed the outcome. Send the same file again: it is captured once, however often it comes.", "GW-HTTP-05");

    public static ProblemHttpResult PartnerExists(string gln) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Partner exists", $"A partner or party with GLN {gln} exists already.", "GW-PAR-01");

    public static ProblemHttpResult NotDecidable(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-DLV-01");

    public static ProblemHttpResult ReasonMissing() =>
        Of(422, Validation, "Reason missing", "A decision needs a reason: {\"reason\":\"…\"}.", "GW-DLV-02");

    public static ProblemHttpResult NothingToDo(string detail) =>
        Of(422, Validation, "Nothing to do", detail, "GW-OPS-01");

    public static ProblemHttpResult TooManyDeliveries(string detail) =>
        Of(422, Limit, "Too many deliveries", detail, "GW-OPS-02");

    public static ProblemHttpResult NotConfirmed(string detail) =>
        Of(422, Validation, "Not confirmed", detail, "GW-OPS-03");

    public static ProblemHttpResult NotSigned(string detail) =>
        Of(403, "epcisException:SecurityException", "Needs a signature", detail, "GW-OPS-05");

    public static ProblemHttpResult OperationOver() =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", "The operation is not in a state for this: it is over, or paused or running already.", "GW-OPS-04");

    public static ProblemHttpResult ExceptionNotDecidable(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-EXC-01");

    public static ProblemHttpResult AlarmNotChangeable(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-ALM-01");

    /// <summary>What was given names no serialised unit.</summary>
    public static ProblemHttpResult NoUnit(string detail) =>
        Of(400, "epcisException:QueryParameterException", "No unit's identifier", detail, "GW-UNI-01");

    /// <summary>The unit is known, and was not yet at that moment.</summary>
    public static ProblemHttpResult UnitNotYet(string detail) =>
        Of(404, "epcisException:NoSuchResourceException", "Not known yet at that moment", detail, "GW-UNI-02");

    public static ProblemHttpResult PastArchived(string detail) =>
        Of(410, "epcisException:NoSuchResourceException", "Its past is in the archive", detail, "GW-UNI-03");

    public static ProblemHttpResult PastTooLarge(string detail) =>
        Of(413, "epcisException:QueryTooLargeException", "Too much for one answer", detail, "GW-UNI-04");

    public static ProblemHttpResult RecordChanged(int version) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Changed meanwhile", $"The record is of version {version} now: look at it again, and change that.", "GW-MAS-01");

    /// <summary>Nothing of the file is taken.</summary>
    public static ProblemHttpResult ImportRefused(IReadOnlyList<Finding> findings) =>
        Of(422, Validation, "The file is not taken", findings.First(f => f.Severity == Severity.Error).Message, "GW-MAS-02", findings);

    /// <summary>The organisation has said that this is not done while what runs is not what was validated.</summary>
    public static ProblemHttpResult NotValidated(string permission, string state) =>
        Of(503, "epcisException:ImplementationException", "Not validated", $"The installation is {state}, and {permission} is refused meanwhile. Nothing of this request was done.", "GW-VAL-01");

    public static ProblemHttpResult ValidationStepRefused(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-VAL-02");

    /// <summary>The id of a request for numbers was used for another.</summary>
    public static ProblemHttpResult RequestReused(string detail) =>
        Of(422, Validation, "Request id reused", detail, "GW-SER-01");

    public static ProblemHttpResult SerialsRefused(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-SER-02");

    /// <summary>Nothing of the list is taken.</summary>
    public static ProblemHttpResult NumbersNotTaken(IReadOnlyList<Finding> findings) =>
        Of(422, Validation, "The list is not taken", findings.First(f => f.Severity == Severity.Error).Message, "GW-SER-03", findings);

    /// <summary>A rule of the hub, or of what comes before what, forbids it; nothing was sent.</summary>
    public static ProblemHttpResult HubRefused(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible at the hub", detail, "GW-HUB-01");

    /// <summary>The EU's rule on guessing (2016/161, Article 4).</summary>
    public static ProblemHttpResult Guessable(string detail) =>
        Of(422, Validation, "Too easy to guess", detail, "GW-SER-04");

    /// <summary>Nothing is granted in part.</summary>
    public static ProblemHttpResult PoolDry(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Too few numbers left", detail, "pool.dry");

    /// <summary>The token opens another device's addresses, or none.</summary>
    public static ProblemHttpResult NotThisDevice() =>
        Of(403, "epcisException:SecurityException", "Not this device's token", "A device speaks with the token of its own last registration.", "GW-DEV-01");

    public static ProblemHttpResult TooManyMessages() =>
        Of(413, Limit, "Too many messages", "A post has at most 500 messages and 1048576 bytes; nothing of it is stored.", "GW-DEV-02");

    public static ProblemHttpResult MessagesMalformed(string detail) =>
        Of(422, Validation, "Messages cannot be read", detail + " Nothing of the post is stored.", "GW-DEV-03");

    /// <summary>What devices say waits in their own stores.</summary>
    public static ProblemHttpResult DevicesWait(int seconds) =>
        Of(429, "epcisException:ImplementationException", "Too many messages at once", $"Wait {seconds} s and send the same again; nothing of it is stored.", "GW-DEV-04");

    public static ProblemHttpResult DeviceNotChanged(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-DEV-05");

    public static ProblemHttpResult WrongEpoch(string code, string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Another epoch", detail, code);

    public static ProblemHttpResult SequenceConflict(long seq, long ackedThrough) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Another content of the same number", $"Message {seq} came before with another content. The first stands.", "seq.conflict", more: ("ackedThrough", ackedThrough));

    /// <summary>A step that the run's state, or what is known of it, does not allow.</summary>
    public static ProblemHttpResult RunStepRefused(string detail) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "Not possible now", detail, "GW-RUN-01");

    /// <summary>What a device answered to a command that is no longer its to answer.</summary>
    /// <param name="code">One of the codes <c>cmd.…</c>.</param>
    /// <param name="fence">Of the line as it is now.</param>
    public static ProblemHttpResult CommandRefused(string code, string detail, long fence) =>
        Of(409, "epcisException:ResourceAlreadyExistsException", "The command is not answered that way", detail, code, more: ("fence", fence));

    public static ProblemHttpResult CommandNotSigned(string detail) =>
        Of(403, "epcisException:SecurityException", "Needs a signature", $"{detail} A key signs nothing: open the device in the dashboard.", "cmd.not_signed");

    private static ProblemHttpResult Of(int status, string type, string title, string detail, string code, IReadOnlyList<Finding>? findings = null, params (string Name, object? Value)[] more)
    {
        var extensions = new Dictionary<string, object?> { ["code"] = code, ["help"] = Help.HelpCatalog.PathOf(code), ["traceId"] = Activity.Current?.TraceId.ToString() };
        if (findings is not null)
        {
            extensions["findings"] = findings.Select(FindingView.Of).ToList();
        }
        foreach (var (name, value) in more.Where(m => m.Value is not null))
        {
            extensions[name] = value;
        }
        return TypedResults.Problem(type: type, title: title, statusCode: status, detail: detail, extensions: extensions);
    }
}
