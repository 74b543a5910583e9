namespace Gateway.Host.Simulate.Plant;

/// <summary>Something that goes wrong on a line.</summary>
/// <param name="Per">What its rate is a share of: message, unit or case.</param>
/// <param name="LeavesTrace">Whether anything that devices say shows it: only then can a gateway know.</param>
public sealed record PlantFault(string Name, string Per, bool LeavesTrace, string What)
{
    /// <summary>All that can be switched on.</summary>
    public static IReadOnlyList<PlantFault> All { get; } =
    [
        new("duplicate", "message", true, "A message is sent twice in the same bytes."),
        new("reorder", "message", true, "A message is sent after those that follow it."),
        new("loss", "message", true, "A message is lost for good, and others follow it: its number is missing."),
        new("conflict", "message", true, "A message is sent again with another content under the same number."),
        new("late-gap", "message", true, "A message is missing until the end of the lot, and then comes."),
        new("link-cut", "unit", true, "A device is cut off for a minute to two hours, and the answer to its last post is lost."),
        new("epoch-lost", "unit", true, "A device loses its store with what it had not sent yet, and begins a new epoch."),
        new("clock-drift", "unit", true, "A device's clock runs up to 5 ms a second too fast or too slow from here on."),
        new("clock-step", "unit", true, "A device's clock is moved by up to 5 s."),
        new("no-read", "unit", true, "A good carton cannot be read: by the camera, which has it scrapped, or when it is packed."),
        new("carton-removed", "unit", false, "A carton is taken out of its closed case by hand."),
        new("two-cases", "unit", true, "A carton of the case before is read in this case too, and one that is in it is not read."),
        new("short-case", "case", true, "A case is closed with a carton too few, and nothing says so."),
        new("pool-dry", "unit", true, "No numbers are left: the line stands for half a minute to two minutes."),
        new("wrong-lot", "unit", true, "A carton bears another lot than the run's, and the camera says so."),
    ];

    /// <summary>What leaves no trace though nothing here brings it about: the sheet names it so that nobody takes a clean sheet for more than it is.</summary>
    public static IReadOnlyList<string> Traceless { get; } =
    [
        "the very last message of a device's epoch is lost, and nothing that it counts is told afterwards",
        "two cartons change places between cases after both were closed",
        "a label is torn off and put on another container",
    ];

    /// <returns>Null when there is none of that name.</returns>
    public static PlantFault? Find(string name) => All.FirstOrDefault(f => f.Name == name);
}
