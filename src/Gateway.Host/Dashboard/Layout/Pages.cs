using Gateway.Access;

namespace Gateway.Host.Dashboard.Layout;

/// <summary>One entry of the navigation; pressing <c>g</c> and then its key opens it.</summary>
public sealed record PageEntry(string Title, string Address, string Permission, char Key);

public static class Pages
{
    public static IReadOnlyList<PageEntry> All { get; } =
    [
        new("Today", "today", Permissions.ReadDeliveries, 't'),
        new("Deliveries", "deliveries", Permissions.ReadDeliveries, 'd'),
        new("Captures", "captures", Permissions.ReadCaptures, 'c'),
        new("Lines", "lines", Permissions.ReadLines, 'r'),
        new("Exceptions", "exceptions", Permissions.ReadExceptions, 'e'),
        new("Lots & serials", "units", Permissions.ReadUnits, 'l'),
        new("Partners", "partners", Permissions.ReadPartners, 'p'),
        new("Hub", "hub", Permissions.ReadHub, 'h'),
        new("Master data", "masterdata", Permissions.ReadMasterData, 'm'),
        new("Audit", "audit", Permissions.ReadAudit, 'a'),
        new("Validation", "validation", Permissions.ReadValidation, 'v'),
    ];
}
