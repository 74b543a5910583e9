namespace Gateway.Access;

/// <summary>What a caller may do. Code asks for permissions; roles are sets of them, and rows of the database.</summary>
public static class Permissions
{
    public const string Capture = "capture";
    public const string Check = "check";
    public const string ReadCaptures = "captures.read";
    public const string ReadEvents = "events.read";
    public const string ReadDeliveries = "deliveries.read";
    public const string Decide = "deliveries.decide";
    public const string ReadExceptions = "exceptions.read";
    public const string DecideExceptions = "exceptions.decide";
    public const string ReadAlarms = "alarms.read";
    public const string DecideAlarms = "alarms.decide";
    public const string ManageAlarms = "alarms.manage";
    public const string ReadUnits = "units.read";
    public const string ReadPartners = "partners.read";
    public const string ManagePartners = "partners.manage";
    public const string ReadMasterData = "masterdata.read";
    public const string ManageMasterData = "masterdata.manage";
    public const string ReadAudit = "audit.read";
    public const string ReviewAudit = "audit.review";
    public const string ReadProofs = "proofs.read";
    public const string ReadValidation = "validation.read";
    public const string ManageValidation = "validation.manage";
    public const string ManageKeys = "keys.manage";
    public const string ManagePeople = "people.manage";
    public const string ManageRoles = "roles.manage";
    public const string ReadReviews = "reviews.read";
    public const string ReadLines = "lines.read";
    public const string RunLines = "lines.run";
    public const string DecideLines = "lines.decide";
    public const string ManageLines = "lines.manage";
    public const string ReadDevices = "devices.read";
    public const string RegisterDevices = "devices.register";
    public const string SpeakAsDevice = "devices.speak";
    public const string QualifyDevices = "devices.qualify";
    public const string ManageDevices = "devices.manage";
    public const string ReadSerials = "serials.read";
    public const string RequestSerials = "serials.request";
    public const string ManageSerials = "serials.manage";
    public const string ReadHub = "hub.read";
    public const string ManageHub = "hub.manage";
    public const string ReleaseLots = "hub.release";
    public const string OrderHub = "hub.order";
    public const string AnswerAsHub = "hub.answer";
    public const string SignReview = "sign.review";
    public const string SignApproval = "sign.approve";

    public static IReadOnlyList<string> All { get; } =
        [Capture, Check, ReadCaptures, ReadEvents, ReadDeliveries, Decide, ReadExceptions, DecideExceptions, ReadAlarms, DecideAlarms, ManageAlarms, ReadUnits, ReadPartners, ManagePartners, ReadMasterData, ManageMasterData, ReadAudit, ReviewAudit, ReadProofs, ManageKeys, ManagePeople, ManageRoles, SignReview, SignApproval, ReadReviews, ReadValidation, ManageValidation,
        ReadLines, RunLines, DecideLines, ManageLines, ReadDevices, RegisterDevices, SpeakAsDevice, QualifyDevices, ManageDevices, ReadSerials, RequestSerials, ManageSerials, ReadHub, ManageHub, ReleaseLots, OrderHub, AnswerAsHub];

    /// <summary>Changes nothing and starts nothing: it only looks.</summary>
    public static bool IsReading(string permission) => permission.EndsWith(".read", StringComparison.Ordinal);
}
