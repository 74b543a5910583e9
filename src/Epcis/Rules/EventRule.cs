using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A rule that says what it is about, so that the catalogue, its findings and the manual cannot disagree. How grave a breach is, the profile says.</summary>
/// <param name="code">Stable, such as <c>EPCIS-AGG-01</c>.</param>
/// <param name="clause">The part of the standard that the rule holds a document to.</param>
/// <param name="sentence">What must be so, in one sentence.</param>
/// <param name="remedy">What mends a breach, in a sentence or two.</param>
public abstract class Rule(string code, string clause, string sentence, string remedy)
{
    /// <summary>Stable, such as <c>EPCIS-AGG-01</c>.</summary>
    public string Code => code;

    /// <summary>The part of the standard that the rule holds a document to.</summary>
    public string Clause => clause;

    /// <summary>What must be so, in one sentence.</summary>
    public string Sentence => sentence;

    /// <summary>What mends a breach, in a sentence or two.</summary>
    public string Remedy => remedy;
}

/// <summary>A rule about a single event; pure, and it reports every finding, not the first.</summary>
internal abstract class EventRule(string code, string clause, string sentence, string remedy) : Rule(code, clause, sentence, remedy)
{
    public abstract void Check(EpcisEvent e, RuleFindings findings);
}

/// <summary>A rule about a document as a whole. Documents are streams, so it is a fold; what it remembers is bounded.</summary>
internal abstract class DocumentRule(string code, string clause, string sentence, string remedy) : Rule(code, clause, sentence, remedy)
{
    /// <summary>A new document.</summary>
    public abstract DocumentCheck Begin();
}

/// <summary>One document's way through a <see cref="DocumentRule"/>.</summary>
internal abstract class DocumentCheck
{
    /// <param name="units">What the events before this one said of its objects.</param>
    public virtual void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
    {
    }

    /// <summary>The document has ended and its header is complete.</summary>
    public virtual void End(DocumentHeader header, RuleFindings findings)
    {
    }
}
