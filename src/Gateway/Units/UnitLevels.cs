using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>What a unit is by its product.</summary>
internal static class UnitLevels
{
    /// <summary>
    /// The word for it: unit, bundle, case or pallet, as master data say of the product. Of one that they do not know: a unit when the
    /// ledger knows it as the lowest level, or when it is no container; else a case. A logistic unit is called a pallet.
    /// </summary>
    /// <param name="gtin">Empty for a logistic unit.</param>
    /// <param name="level">See <see cref="Unit.Level"/>; 0 when it is not known.</param>
    public static string Word(string gtin, MasterDataSnapshot known, int level = 0) =>
        gtin.Length == 0 ? "pallet" : known.Find(gtin)?.Level ?? (level == 1 || level == 0 && !IsContainer(gtin, known) ? "unit" : "case");

    /// <summary>The same of a unit by its key.</summary>
    public static string WordOf(string key, int level, MasterDataSnapshot known) => Word(UnitKey.GtinOf(key).ToString(), known, level);

    /// <summary>What holds other units: master data say it, else the indicator digit (1 to 8) of the GTIN.</summary>
    public static bool IsContainer(string gtin, MasterDataSnapshot known) =>
        known.Find(gtin) is { } product ? product.Holds is not null || product.Level is not (null or "unit") : gtin[0] is >= '1' and <= '8';
}
