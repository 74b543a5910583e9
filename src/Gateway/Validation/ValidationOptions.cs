using System.ComponentModel.DataAnnotations;

namespace Gateway.Validation;

/// <summary>How a node compares itself with what was validated, and what is refused while they differ.</summary>
public sealed class ValidationOptions
{
    public const string Section = "Validation";

    /// <summary>How often a node compares itself; a change shows after this at the latest.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:01:00")]
    public TimeSpan Every { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The number of the change record under which the configuration at hand was changed, such as CR-0007.</summary>
    public string ChangeReference { get; init; } = "";

    /// <summary>Permissions that nobody can use while the installation is not validated, such as <c>capture</c> or <c>deliveries.decide</c>.</summary>
    public string[] Block { get; init; } = [];
}
