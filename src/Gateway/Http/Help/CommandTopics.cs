namespace Gateway.Http.Help;

/// <summary>What can go wrong between the gateway and the devices of a line.</summary>
internal static class CommandTopics
{
    private const string Page = "docs/devices.md", Pause = "21 CFR 211.110; ISA-TR88.00.02 (PackML)";

    public static HelpTopic[] All { get; } =
    [
        new("cmd.stale_fence", "A newer command came before", "The device answered a command that a newer one has taken the place of, or with another fence than the command's. Nothing was changed.", "The device drops the command: it does nothing more for it, and does what the newest command says. The answer's member fence is the line's as it is now.", Page),
        new("cmd.ended", "The command has ended", "The device answered a command that has ended already, by its deadline or because it was not acknowledged in time, or that it was not told yet. Nothing was changed.", "Look at the command. If it is still wanted, issue it again; it gets a new cmdId.", Page),
        new("cmd.not_signed", "Needs a signature", "The line stands after a quality pause. A command that lets it go on takes the electronic signature of a person who may decide about lines. Nothing was changed.", "Open the device in the dashboard, say why the line may go on, and sign.", "21 CFR 11.10(g), 211.110(c)"),
        new("cmd.unanswered", "A device does not answer", "The device was told a command and did not acknowledge it, however often it was told. The command has failed.", "Look at the device and its connection. Then issue the command again if it is still wanted.", Page),
        new("cmd.expired", "A command was not completed in time", "The device did not report by the command's deadline that it is done, or was not there to be told. What became of it at the machine is not known.", "Look at the machine. Then issue the command again if it is still wanted.", Page),
        new("pause.unproved", "A machine may be running that was to stand", "The device was asked to pause and the machine did not report in time, by its own state Held or Suspended, that it stands. Everything that the line has commissioned since the trigger is put on hold, also what is made, or told of, from now on.", "Stop the line by hand. See what was made since the trigger, inspect it, and release what is good. Then find out why the device did not report.", Pause),
    ];
}
