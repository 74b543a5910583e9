namespace Gateway.Host.Dashboard;

/// <summary>Whether the pages of this browser window follow what happens, or stand still until their reader resumes.</summary>
public sealed class LiveUpdates
{
    public bool Paused { get; private set; }

    /// <summary>When the page was last read from the database.</summary>
    public DateTime? ReadAt { get; set; }

    /// <summary>Called when the reader pauses or resumes.</summary>
    public event Action? Changed;

    public void Toggle()
    {
        Paused = !Paused;
        Changed?.Invoke();
    }
}
