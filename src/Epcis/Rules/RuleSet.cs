using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The rules that a profile or a policy asks for, each with its severity.</summary>
public sealed class RuleSet
{
    private readonly (EventRule Rule, Severity Severity)[] _events;
    private readonly (DocumentRule Rule, Severity Severity)[] _documents;

    /// <param name="severities">Rules that are switched off are not run.</param>
    public RuleSet(RuleSeverities severities)
    {
        _events = [.. Of<EventRule>(severities)];
        _documents = [.. Of<DocumentRule>(severities)];
    }

    /// <summary>What holds for every document, whatever it is for.</summary>
    public static RuleSet Default { get; } = new(RuleSeverities.Of(RuleProfile.None));

    /// <summary>The objects of one document whose history is followed: two million are some 80 MB. A rule tells when there are more.</summary>
    public int MaxUnits { get; init; } = 2_000_000;

    /// <summary>Applies the rules about a single event.</summary>
    public void Check(EpcisEvent e, Findings findings)
    {
        foreach (var (rule, severity) in _events)
        {
            rule.Check(e, new RuleFindings(rule, severity, findings));
        }
    }

    /// <summary>Begins a document, of which every event is to be shown in turn.</summary>
    public Run Begin(Findings findings) => new(this, findings);

    private static IEnumerable<(T, Severity)> Of<T>(RuleSeverities severities) where T : Rule
    {
        foreach (var rule in RuleCatalog.All.OfType<T>())
        {
            if (severities.Of(rule.Code) is { } severity)
            {
                yield return (rule, severity);
            }
        }
    }

    /// <summary>One document on its way through all rules.</summary>
    public sealed class Run
    {
        private readonly RuleSet _rules;
        private readonly Findings _findings;
        private readonly (DocumentCheck Check, RuleFindings Findings)[] _checks;
        private readonly UnitHistory _units;

        internal Run(RuleSet rules, Findings findings)
        {
            _rules = rules;
            _findings = findings;
            _units = new UnitHistory(rules.MaxUnits);
            _checks = [.. rules._documents.Select(d => (d.Rule.Begin(), new RuleFindings(d.Rule, d.Severity, findings)))];
        }

        /// <summary>Shows the next event to every rule.</summary>
        public void See(EpcisEvent e)
        {
            _rules.Check(e, _findings);
            if (_checks.Length == 0)
            {
                return;
            }
            foreach (var (check, findings) in _checks)
            {
                check.See(e, _units, findings);
            }
            _units.Learn(e);
        }

        /// <summary>Call when the reader has ended, unless the document is broken: then nothing is known of what it lacks.</summary>
        public void End(DocumentHeader header)
        {
            foreach (var (check, findings) in _checks)
            {
                check.End(header, findings);
            }
        }
    }
}
