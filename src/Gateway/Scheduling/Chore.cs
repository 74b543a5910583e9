using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Scheduling;

/// <summary>
/// Work done now and then. It may be started twice at once or not at all, so it finds what is to do in rows, and doing it again
/// changes nothing; no document depends on it.
/// </summary>
public interface IChore
{
    Task RunAsync(CancellationToken ct);
}

/// <summary>A chore by the name under which the clock, its lock and its metrics know it.</summary>
/// <param name="OnEveryNode">True for what concerns the node itself; such a chore needs no clock of the cluster and no leader.</param>
/// <param name="AtStart">Of a chore on every node: whether the start of the host is its first time.</param>
public sealed record ChoreRegistration(string Name, Type Type, TimeSpan Every, bool OnEveryNode = false, bool AtStart = false);

public static class ChoreSetup
{
    /// <summary>A chore of the installation: each time, one node runs it.</summary>
    public static IServiceCollection AddChore<T>(this IServiceCollection services, string name, TimeSpan every)
        where T : class, IChore => services.Add<T>(new ChoreRegistration(name, typeof(T), every));

    /// <summary>A chore about the node itself: its files, its sessions, its view of the clock. Runs on each.</summary>
    public static IServiceCollection AddNodeChore<T>(this IServiceCollection services, string name, TimeSpan every, bool atStart = true)
        where T : class, IChore => services.Add<T>(new ChoreRegistration(name, typeof(T), every, OnEveryNode: true, atStart));

    private static IServiceCollection Add<T>(this IServiceCollection services, ChoreRegistration chore)
        where T : class, IChore
    {
        services.TryAddSingleton<T>();
        return services.AddSingleton(chore);
    }
}
