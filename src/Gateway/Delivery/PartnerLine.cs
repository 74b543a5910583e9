namespace Gateway.Delivery;

/// <summary>The requests of one partner's turn: so many at the same time, which are also among those of the node.</summary>
/// <param name="node">Shared with the lines to all other partners.</param>
/// <param name="atOnce">The most requests to this partner at the same time.</param>
internal sealed class PartnerLine(SemaphoreSlim node, int atOnce) : IDisposable
{
    private readonly SemaphoreSlim _partner = new(atOnce);

    /// <summary>Waits for a place, before anything is intended: what decides against sending until then is heeded.</summary>
    public async Task<Place> EnterAsync(CancellationToken ct)
    {
        await _partner.WaitAsync(ct);
        try
        {
            await node.WaitAsync(ct);
        }
        catch
        {
            _partner.Release();
            throw;
        }
        return new Place(node, _partner);
    }

    public void Dispose() => _partner.Dispose();

    /// <summary>A place on the line, given up once.</summary>
    internal sealed class Place(SemaphoreSlim node, SemaphoreSlim partner) : IDisposable
    {
        private int _isGivenUp;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isGivenUp, 1) == 0)
            {
                node.Release();
                partner.Release();
            }
        }
    }
}
