using Dapper;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.Database;

namespace Gateway.Units;

/// <summary>Which products were ever a container: of the others, which are nearly all units, nobody needs to ask what they hold.</summary>
internal sealed class EverContainers(Work work)
{
    private readonly Dictionary<string, bool> _mayHold = new(StringComparer.Ordinal);

    /// <summary>Learns of the products of these units what is not known yet.</summary>
    /// <param name="keys">Of units (<see cref="UnitKey"/>).</param>
    public async Task LearnAsync(IEnumerable<string> keys, CancellationToken ct)
    {
        var products = keys.Select(k => UnitKey.GtinOf(k).ToString()).Where(g => g.Length > 0 && !_mayHold.ContainsKey(g)).Distinct().ToList();
        foreach (var gtin in products)
        {
            _mayHold[gtin] = await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition($"select exists (select from event_class where class = any(@classes) and role = {(int)EpcRole.Parent})", new
            {
                classes = UnitKey.PrefixLengths.Select(length => EpcKey.ClassOf(UnitKey.ToEpc($"01{gtin}210", length)).ToString()).ToArray(),
            }, work.Transaction, cancellationToken: ct));
        }
    }

    /// <summary>Logistic units may, and what was learned to.</summary>
    public bool MayHold(string key) => UnitKey.GtinOf(key) is var gtin && (gtin.IsEmpty || _mayHold.GetValueOrDefault(gtin.ToString()));
}
