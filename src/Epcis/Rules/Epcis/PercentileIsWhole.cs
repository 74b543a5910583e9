using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PercentileIsWhole() : EventRule(
    "EPCIS-SENS-07", "EPCIS 2.0, sensorReport",
    "percRank and percValue stand together, and percRank is from 0 to 100.",
    "Give both, for instance percRank 50 and the median in percValue.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            var (rank, value) = (report["percRank"], report["percValue"]);
            if (rank is null != value is null)
            {
                findings.Add(e, report.Path(rank is null ? "percValue" : "percRank"), $"The report has {(rank is null ? "percValue" : "percRank")} alone.", rank ?? value, rank is null ? "percRank" : "percValue");
            }
            else if (report.Number("percRank") is < 0 or > 100)
            {
                findings.Add(e, report.Path("percRank"), $"percRank {rank} is no percentage.", rank, "0 to 100");
            }
        }
    }
}
