using System.Numerics;
using System.Text.Json.Serialization;
using Epcis.Identifiers;

namespace Gateway.Serials;

/// <summary>A pool of numbers as it stands, with what it was given to and how far it goes.</summary>
/// <param name="PoolId">The database's number of it.</param>
/// <param name="Party">Who may ask it for numbers.</param>
/// <param name="Gtin">Of the product; null for logistic units.</param>
/// <param name="SsccPrefix">Extension digit and company prefix of logistic units; null for a product.</param>
/// <param name="Source">generated or external.</param>
/// <param name="Length">Of a serial number; for logistic units of the serial reference.</param>
/// <param name="Ordered">One after another.</param>
/// <param name="RangeFrom">The first serial reference.</param>
/// <param name="RangeTo">The last one.</param>
/// <param name="NextReference">Of an ordered pool: where it goes on.</param>
/// <param name="LowPercent">It is low when less than this part of it is free,</param>
/// <param name="LowMinutes">or less than its lines use in so many minutes.</param>
/// <param name="Stock">How many numbers are generated ahead.</param>
/// <param name="State">active or closed.</param>
/// <param name="Made">Numbers in it, whatever became of them.</param>
/// <param name="Free">Numbers in it that are nobody's.</param>
/// <param name="MadeOfItem">Numbers of the same product in all pools there are.</param>
/// <param name="Speed">Units a minute of the lines that took numbers in the last seven days, together; null: not known.</param>
/// <param name="OpenGrants">Grants that nobody has acknowledged.</param>
/// <param name="Version">Rises with each decision about it.</param>
public sealed record SerialPool(
    [property: JsonIgnore] int PoolId, Guid Id, [property: JsonIgnore] int PartyId, string Party, string? Gtin, string? SsccPrefix, string Source, string Alphabet, int Length, bool Ordered, long? RangeFrom, long? RangeTo,
    long? NextReference, int LowPercent, int LowMinutes, int Stock, string State, long Made, long Free, DateTime MadeAt, int Version, [property: JsonIgnore] long MadeOfItem, long? Speed, long OpenGrants)
{
    /// <summary>Within it numbers are unique: the digits of the GTIN, or zero, for all SSCCs are numbers of one kind.</summary>
    internal long Item => Gtin is null ? 0 : long.Parse(Gtin, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>How many different numbers it could hold.</summary>
    [JsonIgnore]
    public BigInteger Possible => Gtin is null ? RangeTo!.Value - RangeFrom!.Value + 1 : SerialSpace.Possible(Alphabet, Length);

    /// <summary>The most it may ever hold: of a product's numbers one in 10,000 of those possible; nobody gains by guessing a pallet's.</summary>
    public long Most => Gtin is null ? (long)Possible : SerialSpace.Most(Possible);

    /// <summary>How likely a guess is right; null for logistic units.</summary>
    public string? Guess => Gtin is null ? null : SerialSpace.Guess(Possible, MadeOfItem);

    /// <summary>How many more can be granted.</summary>
    public long Left => Free + Generable;

    /// <summary>How many more can be generated.</summary>
    internal long Generable => Source == "external" ? 0 : Ordered ? RangeTo!.Value - NextReference!.Value + 1 : Math.Max(0, Most - (Gtin is null ? Made : MadeOfItem));

    /// <summary>How many minutes <see cref="Left"/> lasts at the speed of its lines; null when that is not known.</summary>
    public long? LastsMinutes => Speed is > 0 ? Left / Speed : null;

    /// <summary>With fewer left than this it is low.</summary>
    public long LowMark => Mark(Source == "external" ? Made : Most);

    /// <summary>Fewer are left than <see cref="LowMark"/>, or none.</summary>
    public bool IsLow => Left == 0 || Left < LowMark;

    /// <summary>How many numbers are missing in the stock: it is filled up when it is low, to where the same mark would be its lower end.</summary>
    internal long Missing
    {
        get
        {
            var mark = Mark(Stock);
            return Stock == 0 || Source == "external" || Free >= Math.Max(mark, 1) ? 0 : Math.Min(Math.Max(Stock, LowPercent == 0 ? mark : mark * 100 / LowPercent) - Free, Generable);
        }
    }

    /// <summary>What the number is called on an exception or a page: the GTIN, or SSCC and the prefix.</summary>
    [JsonIgnore]
    public string Name => Gtin ?? $"SSCC {SsccPrefix}";

    /// <summary>A serial reference as the whole SSCC.</summary>
    internal string SsccOf(long reference)
    {
        var digits = SsccPrefix + reference.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(Length, '0');
        return digits + CheckDigit.Of(digits);
    }

    private long Mark(long size) => Math.Max(size / 100 * LowPercent + size % 100 * LowPercent / 100, LowMinutes * (Speed ?? 0));
}

/// <summary>What a pool is to be. Alphabet and length are those of the product's serial pattern where nothing is said, and it says them.</summary>
/// <param name="Party">The party's name; null: the organisation itself.</param>
/// <param name="Source">generated, unless it says external.</param>
/// <param name="Reason">Why it is made.</param>
public sealed record PoolRequest(
    string? Gtin = null, string? SsccPrefix = null, string? Party = null, string? Source = null, string? Alphabet = null, int? Length = null, bool? Ordered = null, long? RangeFrom = null, long? RangeTo = null,
    int? LowPercent = null, int? LowMinutes = null, int? Stock = null, string? Reason = null);

/// <summary>What became of a pool that was asked for.</summary>
/// <param name="Refusal">A sentence; null when it was made.</param>
/// <param name="IsGuessable">It was refused by the rule on guessing.</param>
public sealed record PoolOutcome(SerialPool? Pool, string? Refusal = null, bool IsGuessable = false);
