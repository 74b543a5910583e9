namespace Gateway.TestSupport;

/// <summary>Waits for what another thread or process is about to do; fails loudly after a generous limit.</summary>
public static class Eventually
{
    public static async Task<T> AsAsync<T>(Func<Task<T?>> look, int seconds = 30)
        where T : struct
    {
        for (var tries = 0; tries < seconds * 20; tries++)
        {
            if (await look() is { } found)
            {
                return found;
            }
            await Task.Delay(50);
        }
        throw new TimeoutException($"It did not happen within {seconds} seconds.");
    }

    public static Task TrueAsync(Func<Task<bool>> look, int seconds = 30) => AsAsync<bool>(async () => await look() ? true : null, seconds);
}
