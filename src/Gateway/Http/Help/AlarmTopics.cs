namespace Gateway.Http.Help;

/// <summary>What alarms tell of. Each goes by itself when what it tells of is gone.</summary>
internal static class AlarmTopics
{
    private const string Page = "docs/operations.md, alarms";

    public static HelpTopic[] All { get; } =
    [
        new("GW-ALM-01", "The alarm cannot be changed now", "The alarm, silence or target is not in a state for this: somebody else was first, it is over, or it has changed since it was looked at. The answer's detail says which. Nothing was changed.", "Look at it again.", Page),
        new("alarm.decision", "Deliveries need a decision", "Deliveries to a partner were given up, all for one reason, and wait for a person. What comes after them in the same lane waits too.", "Open the deliveries from the alarm, mend the reason, then retry them together, or close them with a reason.", Page),
        new("alarm.circuit", "A partner is left alone", "A partner has failed so often that only one document is tried now and then, for longer than Delivery:HeldAlarmAfter.", "Ask the partner. When it answers again everything goes on by itself; the partner's page can try at once.", Page),
        new("alarm.credential", "A partner does not accept our credential", "A partner answers that our token, key or password is not valid. Nothing reaches it; no attempts are used up.", "Set the new credential on the partner's page. Everything goes on by itself.", Page),
        new("alarm.silent", "A partner takes nothing", "Documents wait for a partner, and none has reached it for longer than Delivery:SilentAfter. Nothing may have failed: this tells of success that did not come.", "Look at the partner's deliveries: the first of each lane tells what it waits for.", Page),
        new("alarm.late", "Documents are late", "A partner should have a document by now, counted from its capture by the time that the partner's record allows, or Delivery:NeedWithin. The law wants it with the goods or before them.", "Open the late deliveries. What is held can be resumed, what fails names its reason. Tell the partner if the goods are on their way.", Page),
        new("alarm.licence", "A partner's licence ends", "The licences on record of a partner end within two months, or have ended. After the last day nothing is sent to it.", "Look up the renewed licence and record it on the partner's page.", Page),
        new("alarm.certificate", "A partner's certificate ends", "The certificate that a partner's server shows ends within two months, or has ended. After its end nothing is sent to the partner.", "Ask the partner to renew it. The alarm goes when its server shows the new one, at a delivery or a test.", Page),
        new("alarm.receipt", "A partner owes an answer", "A partner took documents and has not said in the agreed time what became of them, or promised to tell what goods it received and has not.", "Ask the partner. It goes by itself when the answer comes.", Page),
        new("alarm.reconcile", "Counts of a lot are not even", "What was captured as shipped to a partner, what documents told it, and what it acknowledged are different numbers of units.", "Open the reconciliation: each gap names lot, partner and count, with links to its deliveries.", Page),
        new("alarm.clock", "A chore is overdue", "Work that the scheduler does now and then was not done when it should have been, for longer than Scheduling:OverdueAfter. No document depends on it.", "Look at the nodes under Settings, Health. Restarting a node that hangs frees the chore.", Page),
        new("alarm.node", "A node tells of a fault", "A node has found something wrong with itself or its surroundings, such as a database that does not keep what it confirms. Its readiness tells the same.", "The sentence of the alarm says what. Settings, Health shows all nodes.", Page),
        new("alarm.refused", "Documents were refused", "Documents of one sender were refused for one reason within the last day. The alarm goes a day after the last of them.", "Open the captures from the alarm: each says what is wrong and where. Tell the sender; acknowledge the alarm meanwhile.", Page),
        new("alarm.stuck", "Documents are undecided", "Documents were received and neither accepted nor refused for longer than Capture:StuckAfter.", "Look whether the gateway's workers run and the database has room; the log tells of each attempt.", Page),
        new("alarm.sealing", "The audit trail is not sealed", "Entries of the audit trail wait for their seal for more than a minute. They are recorded; that nobody has changed them cannot be proved before they are sealed.", "Settings, Health tells what the sealer says. A transaction that is open for long, or a missing key, keeps it from sealing.", Page),
        new("alarm.condition", "Something cannot be looked at", "One of the conditions of alarms could not be read, so alarms of that kind neither come nor go. The log has the error.", "Mend what the log names. If it is a fault of the gateway, report it.", Page),
        new("alarm.sending", "Messages of alarms are not sent", "A target of alarms could not be reached, again and again. Its messages are tried for Alarms:RetryLifetime. Nobody is told of this alarm, because the telling is what fails.", "Look at the target under Settings, Alarms: its last answer stands there. Send a test when it is mended.", Page),
    ];
}
