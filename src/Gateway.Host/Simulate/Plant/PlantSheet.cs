using System.Globalization;
using System.Text;

namespace Gateway.Host.Simulate.Plant;

/// <param name="Injected">How often it happened.</param>
/// <param name="Touched">Serials that it touched.</param>
/// <param name="Known">Of them, those that the gateway says wrongly or not yet, and holds, or has an open exception, a gap or a term about that keeps the run from being closed.</param>
/// <param name="Misstated">Of them, those that it says wrongly, and nobody would know.</param>
public sealed record FaultScore(string Fault, int Injected, bool LeavesTrace, int Touched, int Known, int Misstated);

/// <summary>What the protocol owes: each message stored once, in its own bytes.</summary>
/// <param name="Expected">Messages that were sent and not lost for good.</param>
/// <param name="Unapplied">Stored, and not applied when the score was taken.</param>
/// <param name="LostUnseen">Lost for good, and no gap tells of them.</param>
public sealed record MessageScore(long Expected, long Stored, long Absent, long Altered, long Invented, long LostSeen, long LostUnseen, long Unapplied);

/// <summary>One serial that the gateway says wrongly.</summary>
public sealed record Misstatement(string Id, string Truth, string Said, IReadOnlyList<string> Faults);

/// <summary>What the gateway made of what a plant did, beside what truly happened.</summary>
/// <param name="IsApplied">Whether anything that devices said was applied; where not, only messages are judged.</param>
/// <param name="Serials">Units and containers.</param>
/// <param name="Traceless">What no gateway can know.</param>
public sealed record PlantSheet(
    bool IsApplied, int Serials, int Right, int Known, int Misstated, IReadOnlyList<FaultScore> Faults, MessageScore Messages, PlantTraffic Traffic, int Waits, IReadOnlyList<Misstatement> Examples, IReadOnlyList<string> Traceless)
{
    /// <summary>Serials that are said wrongly though a trace told of it.</summary>
    public int MisstatedInSpiteOfTrace { get; init; }

    public bool Passes => MisstatedInSpiteOfTrace == 0 && Messages is { Absent: 0, Altered: 0, Invented: 0, LostUnseen: 0 };

    public override string ToString()
    {
        var text = new StringBuilder();
        Line($"{"fault",-16}{"injected",9}{"trace",7}{"serials",9}{"known",7}{"mis-stated",12}");
        foreach (var f in Faults.Where(f => f.Injected > 0 || f.Touched > 0))
        {
            Line($"{f.Fault,-16}{f.Injected,9}{(f.LeavesTrace ? "yes" : "no"),7}{f.Touched,9}{(IsApplied ? f.Known : "-"),7}{(IsApplied ? f.Misstated : "-"),12}");
        }
        Line($"Messages: {Messages.Expected} to be stored, {Messages.Stored} stored once, {Messages.Absent} absent, {Messages.Altered} altered, {Messages.Invented} invented; {Messages.LostSeen} lost and known as gaps, {Messages.LostUnseen} lost unseen; {Messages.Unapplied} not applied.");
        Line($"Sent {Traffic.Sent} times: {Traffic.Duplicates} duplicates, {Traffic.Rejected} contradictions rejected, {Traffic.Asked} asked for again, {Waits} times told to wait.");
        Line(IsApplied ? $"Serials: {Serials}, of which {Right} said rightly, {Known} not and known, {Misstated} mis-stated ({MisstatedInSpiteOfTrace} in spite of a trace)."
            : (FormattableString)$"Serials: {Serials}. Nothing that devices said is applied, so none of them is judged.");
        foreach (var e in Examples)
        {
            Line($"  {e.Id}: {e.Truth}; the gateway says {e.Said} ({(e.Faults.Count == 0 ? "no fault" : string.Join(", ", e.Faults))})");
        }
        Line($"Without a trace, and in no gateway's power: {string.Join("; ", Traceless)}.");
        return text.ToString();

        void Line(FormattableString s) => text.AppendLine(s.ToString(CultureInfo.InvariantCulture));
    }
}
