using System.Threading.Channels;
using Gateway.Access;
using Gateway.Database;
using Gateway.Validation;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Npgsql;

namespace Gateway.Host.Dashboard;

/// <summary>A page that reads again when the database says that something it shows has changed, at most once a second.</summary>
public abstract class LivePage : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Relative times move on by themselves, a page that could not read tries again, and one that hears nothing says so.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _closed = new();
    private IDisposable? _subscription;
    private Action? _resumed;
    private Task _watching = Task.CompletedTask;
    private bool _failed;
    private bool _working;

    [Inject]
    private ChangeFeed Feed { get; set; } = default!;

    [Inject]
    private LiveUpdates Updates { get; set; } = default!;

    [Inject]
    private SessionState Session { get; set; } = default!;

    [Inject]
    private ValidationStatus Validated { get; set; } = default!;

    [CascadingParameter]
    private Task<AuthenticationState> SignedIn { get; set; } = default!;

    /// <summary>Whose rows the page shows.</summary>
    protected Actor Reader { get; private set; } = default!;

    [Inject]
    private TimeProvider Clock { get; set; } = default!;

    /// <summary>What is shown may be old: the last re-reading failed, or nothing was heard of the database for <see cref="ChangeFeed.StaleAfter"/>.</summary>
    protected bool Stale { get; private set; }

    /// <summary>The page has been read once; before that, nothing is not the same as none.</summary>
    protected bool Known { get; private set; }

    /// <summary>Outlives its source: what was begun before the page closed may end after it.</summary>
    protected CancellationToken Closed { get; }

    /// <summary>Verbs are off: what they would decide about may be old, or one of them is at work.</summary>
    protected bool Blocked => Stale || _working;

    protected LivePage() => Closed = _closed.Token;

    protected abstract bool Concerns(Change change);

    /// <param name="again">False when the address changed: then nothing shown before counts.</param>
    protected abstract Task ReadAsync(bool again);

    protected async Task<string?> ClaimAsync(string type) => (await SignedIn).User.FindFirst(type)?.Value;

    /// <summary>Also not what is withheld because the installation is not validated: the notice on every page says so.</summary>
    protected async Task<bool> MayAsync(string permission) => (await SignedIn).User.Has(permission) && !Validated.Withholds(permission);

    /// <summary>Runs a command as whoever this is now: the page may have been open since before he lost the right, or himself.</summary>
    /// <param name="permission">Null where being signed in is enough: one's own account.</param>
    /// <returns>False when he may not, and nothing was done.</returns>
    protected async Task<bool> CommandAsync(string? permission, Func<Actor, Task> command)
    {
        var user = await Session.RefreshAsync(active: true, Closed);
        if (user.Identity?.IsAuthenticated != true || permission is not null && !user.Has(permission) || Validated.Withholds(permission))
        {
            return false;
        }
        await command(user.ToActor("dashboard"));
        return true;
    }

    /// <summary>Runs a verb from its dialog to its outcome; pressed again meanwhile, it does nothing.</summary>
    protected async Task OnceAsync(Func<Task> verb)
    {
        if (_working)
        {
            return;
        }
        _working = true;
        try
        {
            await verb();
        }
        finally
        {
            _working = false;
        }
    }

    protected override async Task OnParametersSetAsync()
    {
        var user = (await SignedIn).User;
        if (user.Identity?.IsAuthenticated != true)
        {
            return; // the router shows why
        }
        Reader = user.ToActor("dashboard");
        if (RendererInfo.IsInteractive)
        {
            // Before it is read: what changes meanwhile is heard of.
            _subscription ??= Feed.Subscribe(change =>
            {
                if (change.Kind is "all" or "lost" || Concerns(change))
                {
                    _changed.Writer.TryWrite(true);
                }
            });
        }
        await ReadAsync(again: false);
        WasRead();
        if (RendererInfo.IsInteractive)
        {
            // Going from page to page needs no request, so it is noted here that somebody is at work; and whether he still may.
            await Session.RefreshAsync(active: true, Closed);
        }
    }

    protected override void OnAfterRender(bool firstRender)
    {
        if (firstRender)
        {
            _resumed = () => _changed.Writer.TryWrite(true); // what happened meanwhile is shown at once
            Updates.Changed += _resumed;
            _watching = WatchAsync();
        }
    }

    private async Task WatchAsync()
    {
        // One wait outlives the ticks: who is no longer waited for would take the next change with it.
        Task<bool>? next = null;
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                next ??= _changed.Reader.ReadAsync(Closed).AsTask();
                await next.WaitAsync(Tick, Closed);
                next = null;
                if (!Updates.Paused)
                {
                    await RereadInTimeAsync();
                }
                await Task.Delay(Pause, Closed);
            }
            catch (TimeoutException)
            {
                await (_failed ? RereadInTimeAsync() : InvokeAsync(Render));
            }
            catch (OperationCanceledException) when (_closed.IsCancellationRequested)
            {
                return;
            }
        }
    }

    // A database that hangs neither answers nor fails: the page says that it is old while the reading still waits.
    private async Task RereadInTimeAsync()
    {
        var reading = InvokeAsync(RereadAsync);
        if (await Task.WhenAny(reading, Task.Delay(ChangeFeed.StaleAfter, Closed)) != reading)
        {
            _failed = true;
            await InvokeAsync(Render);
        }
        await reading;
    }

    private async Task RereadAsync()
    {
        try
        {
            await ReadAsync(again: true);
            WasRead();
        }
        catch (Exception e) when ((DatabaseFault.IsOutage(e) || e is NpgsqlException or TimeoutException) && !_closed.IsCancellationRequested)
        {
            _failed = true;
        }
        Render();
    }

    private void WasRead()
    {
        (_failed, Known) = (false, true);
        Updates.ReadAt = Clock.GetUtcNow().UtcDateTime;
    }

    private void Render()
    {
        Stale = _failed || Feed.IsStale;
        StateHasChanged();
    }

    public async ValueTask DisposeAsync()
    {
        _subscription?.Dispose();
        Updates.Changed -= _resumed;
        await _closed.CancelAsync();
        await _watching;
        _closed.Dispose();
        GC.SuppressFinalize(this);
    }
}
