using Gateway.Devices;
using Gateway.Http;

namespace Gateway.Host.Simulate;

// What a device keeps, and for how long: what is missing, what was not acknowledged, what was rejected, and what it has deleted.
public sealed partial class GatewayCheck
{
    // Instead of what is missing in truth; null: that.
    private long[]? _asked;

    // Two posts: the first is answered and not acknowledged, a number of the second is asked for at once, and then the first is asked for.
    private async Task MissingAsync(CancellationToken ct)
    {
        if (await FreshAsync(1, ct) is not { } kept)
        {
            return;
        }
        _isHolding = true;
        Answer(kept);
        var post = await FreshAsync(1, ct);
        _isHolding = false;
        if (post is null)
        {
            _stream.Store(kept.Numbers);
            return;
        }
        _stream.Store(post.Numbers.Skip(1));
        _asked = [post.Numbers[0], post.Numbers[0]];
        Answer(post);
        if (await AskedAsync(GatewayCase.Missing, [post.Numbers[0]], ct) is { } came)
        {
            if (_stream.Through >= kept.Numbers[^1])
            {
                _book.Pass(GatewayCase.Keeps, $"The device sent {Ranges(kept.Numbers)}, which had not been acknowledged, again by itself.");
            }
            else
            {
                _asked = [kept.Numbers[0], kept.Numbers[^1]];
            }
            Answer(came);
            if (_asked is not null)
            {
                Answer(await AskedAsync(GatewayCase.Keeps, kept.Numbers, ct));
            }
        }
        else
        {
            _stream.Store(kept.Numbers);
        }
    }

    /// <returns>The post by which the last of the numbers came, not answered yet; null when they did not come.</returns>
    private async Task<Arrival?> AskedAsync(GatewayCase c, List<long> numbers, CancellationToken ct)
    {
        var (lacking, epoch, others) = (numbers.ToHashSet(), _epoch, 0);
        while (await PostAsync(ct) is { } post)
        {
            others = post.Numbers.Exists(lacking.Remove) ? 0 : others + 1;
            lacking.ExceptWith(post.Numbers);
            if (_epoch != epoch)
            {
                _book.Fail(c, $"The device was asked for {Ranges(numbers)}, which had not been acknowledged, and said that its store was lost.");
            }
            else if (others > OnTheirWay)
            {
                _book.Fail(c, $"The device was asked for {Ranges(numbers)}, which had not been acknowledged, and sent {others} posts without {Ranges([.. lacking.Order()])}.");
                _stream.Store(numbers);
            }
            _stream.Store(post.Numbers);
            if (_book.IsDecided(c))
            {
                _asked = null;
                Answer(post);
                return null;
            }
            if (lacking.Count == 0)
            {
                _asked = null;
                _book.Pass(c, $"The device sent {Ranges(numbers)} again when asked.");
                return post;
            }
            Answer(post);
        }
        _asked = null;
        _book.Fail(c, $"The device was asked for {Ranges(numbers)} and sent nothing within {Patience}.");
        _stream.Store(numbers);
        return null;
    }

    private async Task RejectedAsync(CancellationToken ct)
    {
        if (await FreshAsync(1, ct) is not { } post)
        {
            return;
        }
        _stream.Store(post.Numbers);
        _told = Tell();
        post.Answer(post.Messages.Count == 1 ? Problems.SequenceConflict(post.Numbers[0], _told.AckedThrough)
            : TypedResults.Ok(_told with { Rejected = [new RejectedMessage(post.Numbers[0], "seq.conflict")] }));
        await GoesOnAsync(GatewayCase.Rejected, [post.Numbers[0]], "after it was rejected with seq.conflict", ct);
    }

    // A gateway that was restored from a backup lacks what the device has deleted with its leave.
    private async Task LostForGoodAsync(CancellationToken ct)
    {
        if (await FreshAsync(1, ct) is not { } post)
        {
            return;
        }
        var (epoch, until) = (_epoch, _stream.Highest);
        _stream.Forget(0);
        Answer(post);
        for (var others = 0; others <= OnTheirWay && await PostAsync(ct) is { } next;)
        {
            others = next.Numbers[0] <= until ? 0 : others + 1;
            _stream.Store(next.Numbers);
            if (_epoch != epoch)
            {
                _book.Pass(GatewayCase.LostForGood, $"The device was asked for 1-{until}, which it had deleted, and registered with epochLost.");
            }
            else if (_stream.Through >= until)
            {
                _book.Pass(GatewayCase.LostForGood, $"The device was asked for 1-{until}, and had kept them.");
            }
            Answer(next);
            if (_book.IsDecided(GatewayCase.LostForGood))
            {
                return;
            }
        }
        _book.Fail(GatewayCase.LostForGood, $"The device was asked for 1-{until}; it neither sent them nor registered with epochLost.");
        _stream.Store(Enumerable.Range(1, (int)_stream.Highest).Select(n => (long)n));
    }
}
