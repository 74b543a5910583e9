using System.ComponentModel.DataAnnotations;

namespace Gateway.Access;

/// <summary>Signing in and staying signed in.</summary>
public sealed class SignInOptions
{
    public const string Section = "SignIn";

    /// <summary>A session ends after this long without a page, a click or a command.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>And after this long in any case.</summary>
    public TimeSpan Absolute { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How often an open page asks whether its person may still see it.</summary>
    public TimeSpan CheckEvery { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>So many failures in a row lock an account.</summary>
    [Range(1, 10)]
    public int MaxFailures { get; init; } = 5;

    /// <summary>For this long, unless an administrator unlocks it.</summary>
    public TimeSpan LockFor { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A temporary password signs in for so long after it was given out; then an administrator gives out another.</summary>
    public TimeSpan TemporaryPasswordLifetime { get; init; } = TimeSpan.FromHours(72);

    /// <summary>Words that no password may be made of: names of the company, its sites and products.</summary>
    public string[] ContextWords { get; init; } = [];
}
