using System.Collections.Frozen;

namespace Gateway.Access;

/// <summary>What a caller may do. Code asks for permissions; roles are sets of them.</summary>
public static class Permissions
{
    public const string Capture = "capture";
    public const string Check = "check";
    public const string ReadCaptures = "captures.read";
    public const string ReadEvents = "events.read";
    public const string ReadDeliveries = "deliveries.read";
    public const string Decide = "deliveries.decide";
    public const string ReadPartners = "partners.read";
    public const string ManagePartners = "partners.manage";
    public const string ManageKeys = "keys.manage";

    public static IReadOnlyList<string> All { get; } =
        [Capture, Check, ReadCaptures, ReadEvents, ReadDeliveries, Decide, ReadPartners, ManagePartners, ManageKeys];
}

/// <summary>The roles of a key, as the database spells them.</summary>
public static class Roles
{
    private static readonly FrozenDictionary<string, string[]> Table = new Dictionary<string, string[]>
    {
        ["administrator"] = [.. Permissions.All],
        ["officer"] = [Permissions.Check, Permissions.Capture, Permissions.ReadCaptures, Permissions.ReadEvents, Permissions.ReadDeliveries, Permissions.Decide, Permissions.ReadPartners, Permissions.ManagePartners],
        ["operator"] = [Permissions.Check, Permissions.Capture, Permissions.ReadCaptures, Permissions.ReadEvents],
        ["cmo"] = [Permissions.Check, Permissions.Capture, Permissions.ReadCaptures, Permissions.ReadEvents],
        ["partner"] = [Permissions.Check, Permissions.ReadDeliveries],
        ["inspector"] = [Permissions.ReadCaptures, Permissions.ReadEvents, Permissions.ReadDeliveries, Permissions.ReadPartners],
    }.ToFrozenDictionary();

    public static IReadOnlyList<string> All { get; } = [.. Table.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Whom a key of the role belongs to.</summary>
    public static string PartyKindOf(string role) => role is "cmo" or "partner" ? role : "organisation";

    public static IReadOnlyList<string> PermissionsOf(string role) => Table.TryGetValue(role, out var permissions) ? permissions : [];
}
