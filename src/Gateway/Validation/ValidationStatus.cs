using Microsoft.Extensions.Options;

namespace Gateway.Validation;

/// <summary>The words in which the state of an installation is told, in the database, the API and its header.</summary>
public static class ValidationStates
{
    public const string Validated = "validated";
    public const string NotValidated = "not validated";

    /// <summary>Nodes that run differ among themselves.</summary>
    public const string Mixed = "mixed";

    /// <summary>No baseline has ever taken effect, so there is nothing to compare with.</summary>
    public const string NoBaseline = "no baseline";
}

/// <summary>The state of the installation as this node last knew it: asked with each request, it costs nothing.</summary>
public sealed class ValidationStatus(IOptions<ValidationOptions> options)
{
    private volatile Known _known = new(ValidationStates.NoBaseline, "");

    /// <param name="Detail">What differs, in a sentence; empty when nothing does.</param>
    /// <param name="Fingerprints">Of the nodes that run, where they are not what was validated.</param>
    public sealed record Known(string State, string Detail, string Fingerprints = "");

    public Known Now => _known;

    public event Action? Changed;

    /// <summary>The permissions that are withheld now.</summary>
    public IReadOnlyList<string> Withheld => Now.State == ValidationStates.Validated ? [] : options.Value.Block;

    public bool Withholds(string? permission) => permission is not null && Withheld.Contains(permission);

    internal void Set(Known known)
    {
        if (_known != known)
        {
            _known = known;
            Changed?.Invoke();
        }
    }
}
