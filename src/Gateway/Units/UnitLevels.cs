using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>The word for what a unit is: unit, bundle, case or pallet.</summary>
internal static class UnitLevels
{
    /// <summary>
    /// What master data say of the product. Of one that they do not know: a unit when the ledger knows it as the lowest level, or when
    /// its indicator digit says that consumers buy it; else a case. A logistic unit is called a pallet.
    /// </summary>
    /// <param name="level">See <see cref="Unit.Level"/>; 0 when it is not known.</param>
    public static string Word(string key, int level, MasterDataSnapshot known) =>
        UnitKey.GtinOf(key) is var gtin && gtin.IsEmpty ? "pallet"
        : known.Find(gtin.ToString())?.Level ?? (level == 1 || level == 0 && gtin[0] == '0' ? "unit" : "case");
}
