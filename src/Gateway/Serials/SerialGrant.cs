using System.Security.Cryptography;
using System.Text;

namespace Gateway.Serials;

/// <summary>A request for numbers, in whatever form it came.</summary>
/// <param name="RequestId">The asker's own; the same again is answered with the same numbers.</param>
/// <param name="Gtin">Of the product; or</param>
/// <param name="SsccPrefix">what the logistic units' numbers begin with: extension digit and company prefix, or the prefix alone.</param>
/// <param name="Run">The lot's run on the line that they are for; where only lot and line are told, the run of that lot there.</param>
/// <param name="Line">The line's code.</param>
/// <param name="Device">The name of the device that asks.</param>
/// <param name="Pool">Out of this pool and no other; null: the asker's own for that product.</param>
public sealed record SerialRequest(
    string? RequestId = null, string? Gtin = null, string? SsccPrefix = null, int? Quantity = null, string? Lot = null, Guid? Run = null, string? Line = null, string? Device = null, Guid? Pool = null)
{
    public const int MaxQuantity = 100_000;

    /// <summary>What the request is told from another of the same id by.</summary>
    internal byte[] Sha => SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', (object?[])[Gtin, SsccPrefix, Quantity, Lot, Run, Line, Device, Pool])));
}

/// <summary>A granted request.</summary>
/// <param name="State">open until whoever asked has acknowledged that the numbers came.</param>
/// <param name="Device">Empty where none was named, as lot.</param>
public sealed record SerialGrant(
    Guid Id, string RequestId, Guid Pool, string Party, string? Gtin, string? SsccPrefix, int Quantity, string State, string Lot, Guid? Run, string? Line, string Device, DateTime GrantedAt, DateTime? AcknowledgedAt);

/// <summary>A grant with its numbers: those that are still its own, so none that went back and may be another's by now.</summary>
/// <param name="Numbers">Serial numbers, or whole SSCCs.</param>
/// <param name="Guess">How likely a guess is right; null for logistic units.</param>
public sealed record GrantedNumbers(SerialGrant Grant, IReadOnlyList<string> Numbers, string? Guess);

/// <summary>Why numbers were not given, taken back or voided.</summary>
public enum SerialRefusal
{
    /// <summary>What was asked cannot be.</summary>
    Invalid,

    /// <summary>There is no such pool or grant, or it is another party's.</summary>
    NotFound,

    /// <summary>The request id was used for something else.</summary>
    Reused,

    /// <summary>Fewer are left than were asked for.</summary>
    Dry,

    /// <summary>The state of pool or number does not allow it.</summary>
    State,
}

/// <summary>What became of a request.</summary>
/// <param name="IsReplayed">It had been granted before.</param>
/// <param name="Sentence">Why not; then nothing was granted.</param>
public sealed record GrantOutcome(GrantedNumbers? Granted, bool IsReplayed = false, SerialRefusal Refusal = default, string? Sentence = null);
