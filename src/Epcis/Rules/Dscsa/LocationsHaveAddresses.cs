using Epcis.Events;

namespace Epcis.Rules;

internal sealed class LocationsHaveAddresses() : DocumentRule(
    "DSCSA-MD-02", "FD&C Act 581(26), transferor and transferee; GS1 US DSCSA guideline",
    "A location is described by its name and its address.",
    "Add the missing attributes to the location: TI needs name and address of both parties.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private static readonly string[] Needed = ["name", "streetAddressOne", "city", "state", "postalCode", "countryCode"];

        public override void End(DocumentHeader header, RuleFindings findings)
        {
            foreach (var element in header.MasterData.Where(Dscsa.IsLocation))
            {
                var missing = Needed.Where(n => string.IsNullOrWhiteSpace(Dscsa.Attribute(element, n))).ToList();
                if (missing.Count > 0)
                {
                    findings.Add(element.Place, $"The location {element.Id} lacks {string.Join(", ", missing)}.", element.Id, string.Join(", ", missing));
                }
            }
        }
    }
}
