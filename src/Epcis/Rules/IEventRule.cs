using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A rule of the standard about a single event; pure, and it reports every finding, not the first.</summary>
public interface IEventRule
{
    /// <summary>Stable code, such as <c>EPCIS-AGG-01</c>.</summary>
    string Code { get; }

    void Check(EpcisEvent e, Findings findings);
}
