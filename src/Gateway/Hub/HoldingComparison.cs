namespace Gateway.Hub;

/// <summary>A serial number of which a market holds something else than we believe.</summary>
/// <param name="Kind"><see cref="Missing"/>, <see cref="Unexpected"/> or <see cref="OtherState"/>.</param>
/// <param name="Believed">The state that we believe it in.</param>
/// <param name="Held">The state that the market has it in.</param>
/// <param name="HeldAt">By the hub's clock.</param>
internal sealed record PackDifference(string Serial, string Kind, string? Believed, string? Held, DateTime? HeldAt)
{
    /// <summary>We believe that the market has it, and it has not.</summary>
    public const string Missing = "missing";

    /// <summary>The market has it, and we did not report it, or it failed.</summary>
    public const string Unexpected = "unexpected";

    /// <summary>The market has it in another state.</summary>
    public const string OtherState = "state";

    /// <returns>Null: there is none, or what is under way will tell.</returns>
    public static PackDifference? Between(string serial, BelievedPack? believed, HeldPack? held) => (believed, held) switch
    {
        ({ IsUnderWay: true }, _) => null,
        ({ State: { } state }, null) => new(serial, Missing, state, null, null),
        ({ State: { } state }, { } h) => state == h.State ? null : new(serial, OtherState, state, h.State, h.At),
        (_, { } h) => new(serial, Unexpected, null, h.State, h.At),
        _ => null,
    };
}

/// <summary>
/// Merges what we believe that a market holds with what it says, both in the order of the characters of the serial numbers, and counts. Neither is ever in memory.
/// </summary>
internal sealed class HoldingComparison
{
    /// <summary>Packs that we believe the market holds.</summary>
    public int Believed { get; private set; }

    /// <summary>Packs that it says it holds.</summary>
    public int Held { get; private set; }

    /// <summary>Packs of messages that were not answered.</summary>
    public int UnderWay { get; private set; }

    /// <summary>Where they differ, in the same order, with what the market said of it.</summary>
    public async IAsyncEnumerable<(PackDifference Difference, HeldPack? Held)> RunAsync(IAsyncEnumerable<BelievedPack> ours, IAsyncEnumerable<HeldPack> theirs)
    {
        await using var believed = ours.GetAsyncEnumerator();
        await using var held = theirs.GetAsyncEnumerator();
        var (our, their) = (await NextAsync(believed), await NextAsync(held));
        while (our is not null || their is not null)
        {
            var order = our is null ? 1 : their is null ? -1 : string.CompareOrdinal(our.Serial, their.Serial);
            var (b, h) = (order <= 0 ? our : null, order >= 0 ? their : null);
            if (PackDifference.Between((b?.Serial ?? h?.Serial)!, b, h) is { } difference)
            {
                yield return (difference, h);
            }
            our = b is null ? our : await NextAsync(believed);
            their = h is null ? their : await NextAsync(held);
        }
    }

    private async ValueTask<BelievedPack?> NextAsync(IAsyncEnumerator<BelievedPack> believed)
    {
        if (!await believed.MoveNextAsync())
        {
            return null;
        }
        UnderWay += believed.Current.IsUnderWay ? 1 : 0;
        Believed += believed.Current is { IsUnderWay: false, State: not null } ? 1 : 0;
        return believed.Current;
    }

    private async ValueTask<HeldPack?> NextAsync(IAsyncEnumerator<HeldPack> held)
    {
        if (!await held.MoveNextAsync())
        {
            return null;
        }
        Held++;
        return held.Current;
    }
}
