using Xunit.v3;

namespace Gateway.TestSupport;

/// <summary>The requirement that a test proves, by its id: each run of the tests writes the matrix of them, <c>docs/traceability.csv</c>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class RequirementAttribute(string id) : Attribute, ITraitAttribute
{
    public string Id { get; } = id;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Requirement", Id)];
}
