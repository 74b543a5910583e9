namespace Gateway.Database;

/// <summary>
/// Serves together those who came while others were served: one round trip, one commit for all of them. Who comes when nobody
/// is served waits for nobody.
/// </summary>
/// <param name="atOnce">How many groups are served side by side.</param>
/// <param name="choose">Of those who wait, in the order they came, the first and whoever may be served with it.</param>
/// <param name="serve">Answers all of a group, and throws nothing.</param>
internal sealed class Gathering<T>(int atOnce, Func<IReadOnlyList<T>, List<T>> choose, Func<List<T>, Task> serve)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly List<T> _waiting = []; // as many as there are requests, whose number is bounded
    private int _serving;

    public void Add(T item)
    {
        lock (_lock)
        {
            _waiting.Add(item);
            if (_serving == atOnce)
            {
                return;
            }
            _serving++;
        }
        using var nobodys = ExecutionContext.SuppressFlow(); // it works on for others, and in no request's trace
        _ = Task.Run(ServeAsync);
    }

    private async Task ServeAsync()
    {
        while (Next() is { Count: > 0 } group)
        {
            await serve(group);
        }
    }

    private List<T> Next()
    {
        lock (_lock)
        {
            var group = _waiting.Count == 0 ? [] : choose(_waiting);
            _waiting.RemoveAll(group.Contains);
            _serving -= group.Count == 0 ? 1 : 0;
            return group;
        }
    }
}
