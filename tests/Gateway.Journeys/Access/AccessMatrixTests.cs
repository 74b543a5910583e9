using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Access;
using Gateway.Host.Simulate;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Access;

/// <summary>Deny by default, and every role's key at every address, at its own party's rows and at another's.</summary>
[Requirement("P11-12")]
public sealed partial class AccessMatrixTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");
    private static readonly SimulatedParty OtherBuyer = SimulatedParty.AtOneAddress("9521234000303", 7, "Other buyer");

    private const string Mapping = "f1-unit-csv";

    private const string Product = "09521234001010", ShippedProduct = "09521234001232";

    // What is open to everybody, and nothing else is.
    private static readonly string[] Anonymous =
        ["GET /health/live", "GET /health/ready", "GET /help", "GET /help/{code}", "POST /sign-in", "POST /sign-out", "GET /session", "POST /session", "* /sign-in", "* /nothing-here"];

    // The dashboard's own machinery: any signed-in person; what it shows is asked for again by each page.
    private static readonly string[] SignedIn = ["/_blazor", "/_framework", "/openapi"];

    // 400, 422: allowed, and refused only because the request was left empty, so that nothing changes.
    private const string Matrix = """
        method pattern                               whose  administrator officer operator cmo partner inspector witness
        GET    /                                     any    302 302 302 302 302 302 302
        POST   /capture                              any    400 400 400 400 403 403 403
        GET    /capture                              any    200 200 200 200 403 200 403
        GET    /capture/{id:guid}                    own    200 200 200 200 403 200 403
        GET    /capture/{id:guid}                    other  200 200 200 404 403 200 403
        GET    /api/captures/{id:guid}               own    200 200 200 200 403 200 403
        GET    /api/captures/{id:guid}               other  200 200 200 404 403 200 403
        GET    /api/captures/{id:guid}/source        own    200 200 200 200 403 200 403
        GET    /api/captures/{id:guid}/source        other  200 200 200 404 403 200 403
        GET    /captures/{captureId:guid}/document   own    200 200 200 200 403 200 403
        GET    /captures/{captureId:guid}/document   other  200 200 200 404 403 200 403
        OPTIONS /capture                             any    204 204 204 204 403 204 403
        OPTIONS /capture/{id:guid}                   own    204 204 204 204 403 204 403
        OPTIONS /events                              any    204 204 204 204 403 204 403
        OPTIONS /events/{eventId}                    own    204 204 204 204 403 204 403
        GET    /captures/{captureId:guid}/report     own    200 200 200 200 403 200 403
        GET    /captures/{captureId:guid}/report     other  200 200 200 404 403 200 403
        POST   /captures/upload                      any    400 400 400 400 403 403 403
        POST   /captures/check                       any    400 400 400 400 400 403 403
        GET    /captures/check                       any    200 200 200 200 200 403 403
        POST   /api/check                            any    400 400 400 400 400 403 403
        GET    /events                               any    200 200 200 200 403 200 403
        GET    /events/{eventId}                     own    200 200 200 200 403 200 403
        GET    /events/{eventId}                     other  200 200 200 404 403 200 403
        POST   /api/partners                         any    422 422 403 403 403 403 403
        GET    /api/partners                         any    200 200 403 403 403 200 403
        GET    /api/partners/{gln}                   own    200 200 403 403 403 200 403
        POST   /api/partners/{gln}/pause             own    422 422 403 403 403 403 403
        PUT    /api/partners/{gln}/channel           own    422 422 403 403 403 403 403
        POST   /api/partners/{gln}/resume            own    422 422 403 403 403 403 403
        POST   /api/partners/{gln}/practice          own    422 422 403 403 403 403 403
        GET    /api/partners/{gln}/onboarding        own    200 200 403 403 403 200 403
        POST   /api/partners/{gln}/test              own    200 200 403 403 403 403 403
        GET    /api/partners/{gln}/tests             own    200 200 403 403 403 200 403
        POST   /api/partners/{gln}/tests/{id:long}/confirm own 422 422 403 403 403 403 403
        GET    /api/partners/{gln}/scorecard         own    200 200 403 403 403 200 403
        POST   /api/partners/{gln}/routes            own    422 422 403 403 403 403 403
        GET    /api/partners/{gln}/routes            own    200 200 403 403 403 200 403
        GET    /api/partners/{gln}/licences          own    200 200 403 403 403 200 403
        POST   /api/partners/{gln}/licences          own    422 422 403 403 403 403 403
        PUT    /api/partners/{gln}/licences/need     own    422 422 403 403 403 403 403
        POST   /api/partners/{gln}/licences/{id:int}/check own 422 422 403 403 403 403 403
        POST   /api/partners/{gln}/licences/{id:int}/withdraw own 422 422 403 403 403 403 403
        PUT    /api/partners/{gln}/need              own    422 422 403 403 403 403 403
        GET    /api/partners/{gln}/profile           own    200 200 403 403 403 200 403
        PUT    /api/partners/{gln}/profile           own    422 422 403 403 403 403 403
        GET    /api/statement-authorisations         any    200 200 403 403 403 200 403
        POST   /api/statement-authorisations         any    422 422 403 403 403 403 403
        POST   /api/statement-authorisations/{id:long}/end own 422 422 403 403 403 403 403
        GET    /api/products                         any    200 200 200 403 403 200 403
        GET    /api/products/{gtin}                  own    200 200 200 403 403 200 403
        GET    /api/products/{gtin}/versions         own    200 200 200 403 403 200 403
        PUT    /api/products/{gtin}                  own    422 422 403 403 403 403 403
        GET    /api/locations                        any    200 200 200 403 403 200 403
        GET    /api/locations/{gln}                  own    200 200 200 403 403 200 403
        GET    /api/locations/{gln}/versions         own    200 200 200 403 403 200 403
        PUT    /api/locations/{gln}                  own    422 422 403 403 403 403 403
        POST   /api/masterdata/import                any    422 422 403 403 403 403 403
        GET    /api/lots                             any    200 200 200 200 200 200 403
        GET    /api/lots/{gtin}/{lot}                own    200 200 200 200 404 200 403
        GET    /api/lots/{gtin}/{lot}/units          own    200 200 200 200 404 200 403
        GET    /api/lots/{gtin}/{lot}                other  200 200 200 404 404 200 403
        GET    /api/lots/{gtin}/{lot}/units          other  200 200 200 404 404 200 403
        POST   /api/recalls/scope                    any    422 422 422 422 422 422 403
        GET    /recall/units                         any    422 422 422 422 422 422 403
        GET    /api/deliveries                       any    200 200 403 403 200 200 403
        GET    /api/deliveries/groups                any    200 200 403 403 200 200 403
        GET    /api/alarms                           any    200 200 200 403 403 200 403
        GET    /api/alarms/{id:long}                 own    200 200 200 403 403 200 403
        POST   /api/alarms/{id:long}/acknowledge     own    403 422 403 403 403 403 403
        GET    /api/alarms/silences                  any    200 200 200 403 403 200 403
        POST   /api/alarms/silences                  any    403 422 403 403 403 403 403
        POST   /api/alarms/silences/{id:long}/end    own    403 422 403 403 403 403 403
        GET    /api/alarms/targets                   any    200 200 200 403 403 200 403
        POST   /api/alarms/targets                   any    422 403 403 403 403 403 403
        PUT    /api/alarms/targets/{id:guid}         own    422 403 403 403 403 403 403
        POST   /api/alarms/targets/{id:guid}/remove  own    422 403 403 403 403 403 403
        POST   /api/alarms/targets/{id:guid}/test    own    422 403 403 403 403 403 403
        GET    /api/alarms/preview                   any    200 200 200 403 403 200 403
        *      /alarms                               any    200 200 200 403 403 200 403
        *      /settings/alarms                      any    200 200 200 403 403 200 403
        GET    /api/reconciliation                   any    200 200 403 403 403 200 403
        GET    /api/unreported-serials               any    200 200 403 403 403 200 403
        GET    /api/deliveries/{id:long}             own    200 200 403 403 200 200 403
        GET    /api/deliveries/{id:long}             other  200 200 403 403 404 200 403
        GET    /api/deliveries/{id:long}/attempts    own    200 200 403 403 200 200 403
        GET    /api/deliveries/{id:long}/attempts    other  200 200 403 403 404 200 403
        POST   /api/deliveries/{id:long}/retry       own    403 422 403 403 403 403 403
        POST   /api/deliveries/{id:long}/hold        own    403 422 403 403 403 403 403
        POST   /api/deliveries/{id:long}/resume      own    403 422 403 403 403 403 403
        POST   /api/deliveries/{id:long}/replay      own    403 422 403 403 403 403 403
        POST   /api/deliveries/{id:long}/close       own    403 422 403 403 403 403 403
        POST   /api/deliveries/{id:long}/reopen      own    403 422 403 403 403 403 403
        GET    /deliveries/export                    any    200 200 403 403 200 200 403
        GET    /partners/{PartnerId:int}/scorecard   own    200 200 403 403 403 200 403
        POST   /api/operations                       any    403 422 403 403 403 403 403
        GET    /api/operations                       any    200 200 403 403 200 200 403
        GET    /api/operations/{id:long}             own    200 200 403 403 404 200 403
        GET    /api/operations/{id:long}/items       own    200 200 403 403 404 200 403
        POST   /api/operations/{id:long}/pause       own    403 422 403 403 403 403 403
        POST   /api/operations/{id:long}/resume      own    403 422 403 403 403 403 403
        POST   /api/operations/{id:long}/cancel      own    403 422 403 403 403 403 403
        GET    /api/exceptions                       any    200 200 200 200 403 200 403
        GET    /api/exceptions/{id:guid}             own    200 200 200 200 403 200 403
        GET    /api/exceptions/{id:guid}             other  200 200 200 404 403 200 403
        POST   /api/exceptions/{id:guid}/resolve     own    403 422 403 403 403 403 403
        POST   /api/exceptions/{id:guid}/dismiss     own    403 422 403 403 403 403 403
        POST   /api/exceptions/{id:guid}/reopen      own    403 422 403 403 403 403 403
        POST   /api/exceptions/{id:guid}/assign      own    403 422 403 403 403 403 403
        POST   /api/exceptions/{id:guid}/notes       own    403 422 403 403 403 403 403
        GET    /api/units                            any    400 400 400 400 400 400 403
        GET    /api/units/contents                   any    400 400 400 400 400 400 403
        GET    /api/units/history                    any    400 400 400 400 400 400 403
        GET    /api/units/custody                    any    400 400 400 400 400 400 403
        GET    /api/units/search                     any    400 400 400 400 400 400 403
        POST   /api/devices/register                 any    422 403 422 422 403 403 403
        POST   /api/devices/{deviceId}/messages      own    422 403 422 422 403 403 403
        POST   /api/devices/{deviceId}/heartbeat     own    422 403 422 422 403 403 403
        GET    /api/devices                          any    200 200 200 200 403 200 403
        GET    /api/devices/{deviceId}               own    200 200 200 200 403 200 403
        GET    /api/devices/{deviceId}               other  200 200 200 404 403 200 403
        GET    /api/devices/{deviceId}/gaps          own    200 200 200 200 403 200 403
        GET    /api/devices/{deviceId}/gaps          other  200 200 200 404 403 200 403
        GET    /api/devices/{deviceId}/messages      own    200 200 200 200 403 200 403
        GET    /api/devices/{deviceId}/messages      other  200 200 200 404 403 200 403
        POST   /api/devices/{deviceId}/settle        own    403 422 403 403 403 403 403
        POST   /api/devices/{deviceId}/revoke        own    403 422 403 403 403 403 403
        POST   /api/devices/{deviceId}/withdraw      own    422 403 403 403 403 403 403
        POST   /api/devices/{deviceId}/restore       own    422 403 403 403 403 403 403
        GET    /api/lines                            any    200 200 200 200 403 200 403
        GET    /api/lines/{code}                     own    200 200 200 200 403 200 403
        GET    /api/lines/{code}                     other  200 200 200 404 403 200 403
        PUT    /api/lines/{code}                     own    422 403 403 403 403 403 403
        GET    /api/lines/{code}/runs                own    200 200 200 200 403 200 403
        GET    /api/lines/{code}/runs                other  200 200 200 404 403 200 403
        POST   /api/lines/{code}/runs                own    422 422 422 422 403 403 403
        POST   /api/lines/{code}/runs                other  422 422 422 404 403 403 403
        POST   /api/lines/{code}/units               own    422 422 422 422 403 403 403
        POST   /api/lines/{code}/units               other  422 422 422 404 403 403 403
        GET    /api/runs/{id:guid}                   own    200 200 200 200 403 200 403
        GET    /api/runs/{id:guid}                   other  200 200 200 404 403 200 403
        GET    /api/runs/{id:guid}/reconciliation    own    200 200 200 200 403 200 403
        GET    /api/runs/{id:guid}/reconciliation    other  200 200 200 404 403 200 403
        GET    /api/runs/{id:guid}/serials           own    400 400 400 400 403 400 403
        POST   /api/runs/{id:guid}/ready             own    409 409 409 409 403 403 403
        POST   /api/runs/{id:guid}/ready             other  409 409 409 404 403 403 403
        POST   /api/runs/{id:guid}/start             own    409 409 409 409 403 403 403
        POST   /api/runs/{id:guid}/pause             own    422 422 422 422 403 403 403
        POST   /api/runs/{id:guid}/resume            own    409 409 409 409 403 403 403
        POST   /api/runs/{id:guid}/end               own    409 409 409 409 403 403 403
        POST   /api/runs/{id:guid}/reconcile         own    409 409 409 409 403 403 403
        POST   /api/runs/{id:guid}/close             own    403 409 403 403 403 403 403
        POST   /api/runs/{id:guid}/cancel            own    422 422 422 422 403 403 403
        POST   /api/runs/{id:guid}/counters          own    422 422 422 422 403 403 403
        POST   /api/runs/{id:guid}/counts            own    422 422 422 422 403 403 403
        GET    /api/lots/{gtin}/{lot}/reconciliation own    200 200 200 200 403 200 403
        GET    /api/lots/{gtin}/{lot}/reconciliation other  200 200 200 404 403 200 403
        *      /lines                                any    200 200 200 200 403 200 403
        *      /lines/{Code}                         own    200 200 200 200 403 200 403
        *      /runs/{RunId:guid}                    own    200 200 200 200 403 200 403
        *      /runs/{RunId:guid}/serials            own    200 200 200 200 403 200 403
        GET    /api/validation                       any    200 200 403 403 403 200 403
        GET    /api/validation/baselines             any    200 200 403 403 403 200 403
        GET    /api/validation/baselines/{id:int}    own    200 200 403 403 403 200 403
        POST   /api/validation/baselines             any    422 422 403 403 403 403 403
        POST   /api/validation/baselines/{id:int}/effect own    422 422 403 403 403 403 403
        POST   /api/validation/baselines/{id:int}/withdraw own    422 422 403 403 403 403 403
        GET    /api/validation/changes               any    200 200 403 403 403 200 403
        GET    /api/validation/changes/{number}      own    200 200 403 403 403 200 403
        POST   /api/validation/changes               any    422 422 403 403 403 403 403
        POST   /api/validation/changes/{number}/done own    422 422 403 403 403 403 403
        POST   /api/validation/changes/{number}/withdraw own    422 422 403 403 403 403 403
        *      /validation                           any    200 200 403 403 403 200 403
        *      /validation/baselines/{BaselineId:int} own    200 200 403 403 403 200 403
        *      /validation/changes/{Number}          own    200 200 403 403 403 200 403
        POST   /api/lines/{code}/commands            own    422 422 422 422 403 403 403
        GET    /api/lines/{code}/commands            own    200 200 200 200 403 200 403
        GET    /api/lines/{code}/commands            other  200 200 200 404 403 200 403
        GET    /api/commands/{cmdId:guid}            own    200 200 200 200 403 200 403
        GET    /api/commands/{cmdId:guid}            other  200 200 200 404 403 200 403
        GET    /api/devices/{name}/commands          own    404 403 404 200 403 403 403
        GET    /api/devices/{name}/commands          other  404 403 404 404 403 403 403
        GET    /api/devices/{name}/commands          ours   200 403 200 404 403 403 403
        GET    /api/devices/{name}/commands/stream   other  404 403 404 404 403 403 403
        GET    /api/devices/{name}/commands/socket   own    404 403 404 400 403 403 403
        GET    /api/devices/{name}/commands/socket   ours   400 403 400 404 403 403 403
        POST   /api/devices/{name}/commands/{cmdId:guid}/ack own 422 403 422 422 403 403 403
        POST   /api/devices/{name}/commands/{cmdId:guid}/complete own 422 403 422 422 403 403 403
        POST   /api/devices/{name}/state             own    422 403 422 422 403 403 403
        GET    /api/intake                           any    200 200 200 200 403 200 403
        GET    /api/intake/methods                   any    200 200 200 200 403 200 403
        GET    /api/intake/mappings                  any    200 200 200 200 403 200 403
        POST   /api/intake/mappings/{name}/approve   any    403 422 403 403 403 403 403
        POST   /api/intake/mappings/{name}/{version:int}/withdraw any 403 422 403 403 403 403 403
        POST   /api/intake/{mapping}                 any    400 400 400 400 403 403 403
        GET    /api/intake/{id:guid}/result          own    200 200 200 200 403 200 403
        GET    /api/intake/{id:guid}/result          other  200 200 200 404 403 200 403
        POST   /intake/mappings/{name}/take          any    400 400 400 400 403 403 403
        POST   /intake/mappings/{name}/try           any    400 400 400 400 400 403 403
        *      /intake                               any    200 200 200 200 403 200 403
        *      /intake/files/{Id:guid}               own    200 200 200 200 403 200 403
        *      /intake/mappings/{Name}               any    200 200 200 200 403 200 403
        GET    /api/keys                             any    200 403 403 403 403 403 403
        POST   /api/keys                             any    422 403 403 403 403 403 403
        POST   /api/keys/{id}/rotate                 own    422 403 403 403 403 403 403
        POST   /api/keys/{id}/revoke                 own    422 403 403 403 403 403 403
        GET    /api/captures/{id:guid}/receipt       own    200 200 200 200 403 200 403
        GET    /api/captures/{id:guid}/receipt       other  200 200 200 404 403 200 403
        GET    /api/audit/entries                    any    200 200 403 403 403 200 403
        GET    /api/audit/entries/{ord:long}         own    200 200 403 403 403 200 403
        GET    /api/audit/entries/{ord:long}/proof   own    200 200 403 403 403 200 403
        GET    /api/audit/checkpoint                 any    200 200 200 200 200 200 200
        GET    /api/audit/consistency                any    400 400 400 400 400 400 400
        GET    /api/audit/keys                       any    200 200 200 200 200 200 200
        GET    /api/people                           any    200 403 403 403 403 403 403
        POST   /api/people                           any    422 403 403 403 403 403 403
        POST   /api/people/{userName}/disable        own    422 403 403 403 403 403 403
        POST   /api/people/{userName}/enable         own    422 403 403 403 403 403 403
        *      /validation/requirements              any    200 200 403 403 403 200 403
        *      /audit                                any    200 200 403 403 403 200 403
        *      /audit/entries/{Ord:long}             own    200 200 403 403 403 200 403
        *      /today                                any    200 200 403 403 200 200 403
        *      /search                               any    200 200 200 200 403 200 403
        *      /partners                             any    200 200 403 403 403 200 403
        *      /partners/{PartnerId:int}             own    200 200 403 403 403 200 403
        *      /lots                                 any    200 200 200 200 200 200 403
        *      /lots/{Gtin}/{Number}                 own    200 200 200 200 200 200 403
        *      /recall                               any    200 200 200 200 200 200 403
        *      /devices                              any    200 200 200 200 403 200 403
        *      /devices/{Name}                       own    200 200 200 200 403 200 403
        *      /masterdata                           any    200 200 200 403 403 200 403
        *      /masterdata/products/{Gtin}           own    200 200 200 403 403 200 403
        *      /masterdata/locations/{Gln}           own    200 200 200 403 403 200 403
        *      /captures                             any    200 200 200 200 403 200 403
        *      /captures/{CaptureId:guid}            own    200 200 200 200 403 200 403
        *      /operations                           any    200 200 403 403 200 200 403
        *      /operations/{OperationId:long}        own    200 200 403 403 200 200 403
        *      /captures/{CaptureId:guid}/events     own    200 200 200 200 403 200 403
        *      /routing                              any    200 200 403 403 200 200 403
        *      /deliveries                           any    200 200 403 403 200 200 403
        *      /deliveries/{DeliveryId:long}         own    200 200 403 403 200 200 403
        *      /exceptions                           any    200 200 200 200 403 200 403
        *      /exceptions/{ExceptionId:guid}        own    200 200 200 200 403 200 403
        *      /units                                any    200 200 200 200 200 200 403
        *      /units/view                           any    200 200 200 200 200 200 403
        *      /units/custody                        any    200 200 200 200 200 200 403
        *      /reconciliation                       any    200 200 403 403 403 200 403
        *      /unreported                           any    200 200 403 403 403 200 403
        *      /account                              any    200 200 200 200 200 200 200
        *      /not-allowed                          any    200 200 200 200 200 200 200
        *      /settings/people                      any    200 403 403 403 403 403 403
        *      /settings/people/{UserName}           any    200 403 403 403 403 403 403
        *      /settings/roles                       any    200 403 403 403 403 403 403
        *      /settings/reviews                     any    200 200 403 403 403 200 403
        *      /settings/reviews/{ReviewId:int}      any    200 200 403 403 403 200 403
        *      /settings/health                      any    200 200 403 403 403 200 403
        *      /settings/keys                        any    200 403 403 403 403 403 403
        GET    /api/serials/pools                    any    200 200 200 200 403 200 403
        POST   /api/serials/pools                    any    403 422 403 403 403 403 403
        GET    /api/serials/pools/{id:guid}          own    200 200 200 200 403 200 403
        GET    /api/serials/pools/{id:guid}          other  200 200 200 404 403 200 403
        POST   /api/serials/pools/{id:guid}/close    own    403 422 403 403 403 403 403
        POST   /api/serials/pools/{id:guid}/import   own    403 422 403 403 403 403 403
        POST   /api/serials/requests                 any    422 422 422 422 403 403 403
        GET    /api/serials/grants                   any    200 200 200 200 403 200 403
        GET    /api/serials/grants/{id:guid}         own    200 200 200 200 403 403 403
        GET    /api/serials/grants/{id:guid}         other  200 200 200 404 403 403 403
        POST   /api/serials/grants/{id:guid}/acknowledge own 200 200 200 200 403 403 403
        POST   /api/serials/grants/{id:guid}/acknowledge other 200 200 200 404 403 403 403
        POST   /api/serials/returns                  any    422 422 422 422 403 403 403
        POST   /api/serials/voids                    any    403 422 403 403 403 403 403
        GET    /api/hub/products                     any    400 400 400 403 403 400 403
        POST   /api/hub/products                     any    422 422 403 403 403 403 403
        GET    /api/hub/lots                         any    400 400 400 403 403 400 403
        GET    /api/hub/lots/{gtin}/{lot}            own    400 400 400 403 403 400 403
        GET    /api/hub/lots/{gtin}/{lot}/unreported own    400 400 400 403 403 400 403
        GET    /api/hub/lots/{gtin}/{lot}/release    own    400 400 400 403 403 400 403
        POST   /api/hub/lots/{gtin}/{lot}/release    own    403 422 403 403 403 403 403
        POST   /api/hub/lots/{gtin}/{lot}/resend     own    403 422 403 403 403 403 403
        GET    /api/hub/orders                       any    400 400 400 403 403 400 403
        POST   /api/hub/orders                       any    422 422 403 403 403 403 403
        GET    /api/hub/orders/{order:int}           any    404 404 404 403 403 404 403
        GET    /api/hub/orders/{order:int}/notices   any    404 404 404 403 403 404 403
        GET    /api/hub/orders/{order:int}/packs     any    404 404 404 403 403 404 403
        POST   /api/hub/orders/{order:int}/decline   any    422 422 403 403 403 403 403
        POST   /api/hub/orders/{order:int}/again     any    422 422 403 403 403 403 403
        POST   /api/hub/lots/{gtin}/{lot}/recall     own    422 422 403 403 403 403 403
        POST   /api/hub/products/{gtin}/withdraw     own    422 422 403 403 403 403 403
        POST   /api/hub/{gln}/answers                any    404 403 403 403 404 403 403
        POST   /api/hub/{gln}/alerts                 any    404 403 403 403 404 403 403
        GET    /api/hub/alerts                       any    400 400 400 403 403 400 403
        GET    /api/hub/alerts/{id:int}              own    404 404 404 403 403 404 403
        POST   /api/hub/alerts/{id:int}/decide       own    403 422 403 403 403 403 403
        *      /hub/alerts                           any    200 200 200 403 403 200 403
        *      /hub/alerts/{Id:int}                  own    200 200 200 403 403 200 403
        *      /hub                                  any    200 200 200 403 403 200 403
        *      /hub/{Gtin}/{Number}                  own    200 200 200 403 403 200 403
        POST   /api/hub/lots/{gtin}/{lot}/reconcile  own    403 400 403 403 403 403 403
        GET    /api/hub/lots/{gtin}/{lot}/reconciliation own 400 400 400 403 403 400 403
        GET    /api/hub/lots/{gtin}/{lot}/differences own   400 400 400 403 403 400 403
        *      /hub/orders                           any    200 200 200 403 403 200 403
        *      /hub/orders/{OrderId:int}             any    200 200 200 403 403 200 403
        *      /serials                              any    200 200 200 200 403 200 403
        *      /serials/{PoolId:guid}                own    200 200 200 200 403 200 403
        GET    /api/audit/reviews                    any    200 200 403 403 403 200 403
        *      /audit/reviews                        any    200 200 403 403 403 200 403
        *      /audit/reviews/{ReviewId:int}         any    200 200 403 403 403 200 403
        """;

    [Fact]
    public async Task Every_role_reaches_what_its_row_says_and_nothing_more()
    {
        await using var gateway = await TestGateway.StartAsync();
        var place = await PrepareAsync(gateway);
        var lines = Matrix.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        var roles = lines[0][3..];
        Assert.Equal(gateway.Keys.Keys.Where(r => r is not ("demonstration" or "device")).Order(StringComparer.Ordinal), roles.Order(StringComparer.Ordinal)); // the one may do everything, the other only speak as the device that it is of
        var wrong = new List<string>();
        foreach (var line in lines.Skip(1))
        {
            var (method, pattern, whose) = (line[0], line[1], line[2]);
            foreach (var (role, expected) in roles.Zip(line[3..]))
            {
                using var answer = await AskAsync(gateway, place.Keys[role], method, place.Fill(pattern, whose));
                if (((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture) != expected)
                {
                    wrong.Add($"{role} {method} {pattern} {whose}: {(int)answer.StatusCode}, not {expected}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));

        // Lists hold the caller's own rows only.
        Assert.Equal(1, await CountAsync(gateway, place.Keys["cmo"], "/capture", place.OwnCapture));
        Assert.Equal(0, await CountAsync(gateway, place.Keys["cmo"], "/capture", place.OtherCapture));
        Assert.Equal(0, await CountAsync(gateway, place.Keys["cmo"], "/events?perPage=1000", place.OtherEvent));
        Assert.Equal(1, await CountAsync(gateway, place.Keys["cmo"], "/api/exceptions", place.OwnException));
        Assert.Equal(0, await CountAsync(gateway, place.Keys["cmo"], "/api/exceptions", place.OtherException));
        Assert.Equal(1, await CountAsync(gateway, place.Keys["partner"], "/api/deliveries", Buyer.Owner.Gln));
        Assert.Equal(0, await CountAsync(gateway, place.Keys["partner"], "/api/deliveries", OtherBuyer.Owner.Gln));
    }

    [Fact]
    public async Task Every_mapped_address_asks_for_a_permission_stands_in_the_matrix_or_is_meant_to_be_open()
    {
        await using var gateway = await TestGateway.StartAsync();
        var rows = Matrix.Split('\n').Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(l => $"{l[0]} {l[1]}").ToHashSet();
        var wrong = new List<string>();
        var open = new HashSet<string>();
        foreach (var endpoint in gateway.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var pattern = "/" + endpoint.RoutePattern.RawText!.TrimStart('/').TrimEnd('/');
            if (SignedIn.Any(s => pattern.StartsWith(s, StringComparison.Ordinal)))
            {
                continue;
            }
            var isPage = endpoint.Metadata.Any(m => m.GetType().Name == "ComponentTypeMetadata");
            var methods = isPage ? ["*"] : endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"];
            foreach (var name in methods.Select(m => $"{m} {pattern}"))
            {
                if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
                {
                    open.Add(name);
                }
                else if (!rows.Contains(name))
                {
                    wrong.Add($"{name} is not in the matrix");
                }
                else if (pattern is not ("/" or "/account" or "/not-allowed") && endpoint.Metadata.GetMetadata<IAuthorizeData>()?.Policy is null)
                {
                    wrong.Add($"{name} asks for no permission");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.Equal(Anonymous.Order(StringComparer.Ordinal), open.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_devices_token_opens_what_a_device_says_and_nothing_more()
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var line in Matrix.Split('\n').Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(l => l[1] is not ("/" or "/account" or "/not-allowed")).DistinctBy(l => l[0] + l[1]))
        {
            using var answer = await AskAsync(gateway, gateway.Keys["device"], line[0], Placeholder().Replace(line[1].Replace("{lot}", "L", StringComparison.Ordinal), "1"));
            // An address that stands for no record of its kind is no address.
            var speaks = line[0] == "POST" && line[1] is ("/api/devices/{deviceId}/messages" or "/api/devices/{deviceId}/heartbeat" or "/api/devices/{name}/state");
            Assert.Contains((line[0], line[1], (int)answer.StatusCode), speaks ? [(line[0], line[1], 422)] : ((string, string, int)[])[(line[0], line[1], 403), (line[0], line[1], 404)]);
        }
    }

    [Fact]
    public async Task Without_a_key_nothing_else_answers()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = gateway.Url };
        foreach (var path in (string[])["/_blazor", "/_blazor/negotiate", "/_blazor/initializers", "/openapi/v1.json", "/no/such/path", "/deliveries", "/captures/1", "/api", "/"])
        {
            using var answer = await http.GetAsync(path, Ct);
            Assert.True((int)answer.StatusCode is 401 or 302, $"{path}: {(int)answer.StatusCode}");
        }
    }

    private sealed record Place(IReadOnlyDictionary<string, string> Keys, string OwnCapture, string OtherCapture, string OwnEvent, string OtherEvent, long OwnDelivery, long OtherDelivery, string OwnException, string OtherException, string OwnRun, string OtherRun, string OwnFile, string OtherFile, IReadOnlyList<string> Serials)
    {
        // A pool and a grant of the one, then of the other.
        private string OfSerials(bool isGrant, bool own) => Serials[(own ? 0 : 2) + (isGrant ? 1 : 0)];

        public string Fill(string pattern, string whose)
        {
            var own = whose != "other";
            var plant = whose switch { "other" => '2', "ours" => '3', _ => '1' }; // of which line
            var value = pattern.Contains("/runs/{", StringComparison.Ordinal) ? own ? OwnRun : OtherRun
                : pattern.Contains("serials", StringComparison.Ordinal) ? OfSerials(pattern.Contains("grants", StringComparison.Ordinal), own)
                : pattern.Contains("mapping", StringComparison.Ordinal) ? Mapping
                : pattern.Contains("intake", StringComparison.Ordinal) ? own ? OwnFile : OtherFile
                : pattern.Contains("/lines/", StringComparison.Ordinal) ? $"PL0{plant}"
                : pattern.Contains("stream", StringComparison.Ordinal) ? "nobody" // of a device's own it would not end
                : pattern.Contains("devices", StringComparison.Ordinal) ? $"plc{plant}"
                : pattern.Contains("exceptions", StringComparison.Ordinal) ? own ? OwnException : OtherException
                : pattern.Contains("alarms", StringComparison.Ordinal) && !pattern.Contains("guid", StringComparison.Ordinal) || pattern.Contains("operations", StringComparison.Ordinal) || pattern.Contains("hub/alerts", StringComparison.Ordinal) || pattern.Contains("audit", StringComparison.Ordinal) || pattern.Contains("baselines", StringComparison.Ordinal) || pattern.Contains("statement", StringComparison.Ordinal) ? "1"
                : pattern.Contains("changes", StringComparison.Ordinal) ? "CR-0001"
                : pattern.Contains("CaptureId", StringComparison.OrdinalIgnoreCase) ? own ? OwnCapture : OtherCapture
                : pattern.Contains("deliveries", StringComparison.Ordinal)
                ? (own ? OwnDelivery : OtherDelivery).ToString(CultureInfo.InvariantCulture)
                : pattern.Contains("event", StringComparison.Ordinal) ? Uri.EscapeDataString(own ? OwnEvent : OtherEvent)
                : pattern.Contains("PartnerId", StringComparison.Ordinal) || pattern.Contains("ReviewId", StringComparison.Ordinal) || pattern.Contains("OrderId", StringComparison.Ordinal) ? "1"
                : pattern.Contains("partners", StringComparison.Ordinal) ? Buyer.Owner.Gln
                : pattern.Contains("lots", StringComparison.Ordinal) ? ShippedProduct
                : pattern.Contains("gtin", StringComparison.OrdinalIgnoreCase) ? Product
                : pattern.Contains("gln", StringComparison.OrdinalIgnoreCase) ? Shipper.Owner.Gln
                : pattern.Contains("keys", StringComparison.Ordinal) ? "0000000000000000"
                : own ? OwnCapture : OtherCapture;
            pattern = pattern.Replace("{lot}", own ? "LOT1" : "LOT2", StringComparison.Ordinal).Replace("{cmdId:guid}", CommandOf(plant), StringComparison.Ordinal).Replace("{version:int}", "1", StringComparison.Ordinal).Replace("{order:int}", "1", StringComparison.Ordinal);
            pattern = pattern.StartsWith("/api/partners/", StringComparison.Ordinal) ? pattern.Replace("{id:int}", "1", StringComparison.Ordinal) : pattern; // a part of what the value names
            return Placeholder().Replace(pattern, value);
        }

        private static string CommandOf(char plant) => Guid.ParseExact(new string(plant, 32), "N").ToString();
    }

    // Two CMOs have each captured a shipment to a partner that refuses, so that nothing moves any more.
    private static async Task<Place> PrepareAsync(TestGateway gateway)
    {
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/one");
        await gateway.AddPartnerAsync(OtherBuyer.Owner.Gln, "refuses/two");
        var keys = new Dictionary<string, string>(gateway.Keys);
        string other;
        await using (var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct))
        {
            keys["partner"] = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "partner", "", Buyer.Owner.Gln), "partner", "partner", "gwl");
            other = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "cmo", "Another CMO", null), "cmo", "other", "gwl");
            await work.CommitAsync();
        }
        foreach (var file in (string[])[$"gtin,name\n{Product},Demozol\n", $"gln,name\n{Shipper.Owner.Gln},Shipper\n"])
        {
            using var officer = gateway.Client("officer");
            using var imported = await officer.PostAsync("api/masterdata/import?reason=test", new StringContent(file), Ct);
            Assert.Equal(200, (int)imported.StatusCode);
        }
        var own = await CaptureAsync(gateway, keys["cmo"], 1, Buyer);
        var others = await CaptureAsync(gateway, other, 2, OtherBuyer);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 2);
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into operation (party_id, request_key, kind, partner_id, partner_name, filter, filter_words, reason, actor, actor_name, actor_role, method, origin, rate, state, total, created_at, finished_at)
            select p.party_id, 'k', 'close', 1, 'One', '', '', 'why', 'test', 'test', 'officer', 'key', 'here', 1, 'finished', 1, gateway_now(), gateway_now() from party p where p.kind = 'organisation'
            """);
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at) values ('alarm.late', 'x', 'error', 's', 's', '', now(), now(), now())
            """);
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into exception (party_id, code, severity, message, source_kind, source_id, document_id, opened_at, last_at, occurrences)
            select party_id, 'GW-EVT-02', 'warning', 'Two contents.', 'capture', public_id::text, document_id, gateway_now(), gateway_now(), 1 from capture
            """);
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into validation_content (fingerprint, components) values (encode(sha256('{}'), 'hex'), '{}') on conflict do nothing;
            insert into validation_baseline (title, reason, fingerprint, drafted_by, drafted_by_name, drafted_at) values ('First', 'tested', encode(sha256('{}'), 'hex'), 'test', 'test', gateway_now());
            insert into validation_change (title, why, impact, risk, tests, concerns, drafted_by, drafted_by_name, drafted_at) values ('First', 'why', 'none', 'low', 'these', '{setting Capture:MaxBytes}', 'test', 'test', gateway_now())
            """);
        await gateway.Database.ExecuteAsync($"""
            select set_config('app.actor', 'test', false);
            insert into serial_pool (party_id, gtin, source, alphabet, length, low_percent, low_minutes, stock) select party_id, '{Product}', 'external', '0123456789', 12, 20, 15, 0 from capture order by capture_id;
            insert into serial_grant (party_id, pool_id, request_id, request_sha, quantity) select party_id, pool_id, 'x', sha256('x'), 1 from serial_pool order by pool_id
            """);
        var serials = (await gateway.Database.ScalarAsync<string>("select string_agg(p.public_id || ' ' || g.public_id, ' ' order by p.pool_id) from serial_pool p join serial_grant g using (pool_id)")).Split(' ');
        // The CMO, the other and ourselves have each a line with a run, a device and a command; each CMO has sent a file of its line.
        await gateway.Database.ExecuteAsync($"""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone)
            select party_id, case when kind = 'organisation' then 'PL03' when name = 'The cmo' then 'PL01' else 'PL02' end, 'Line', '9521234000105', 'urn:epc:id:sgln:9521234.00010.1', 'UTC' from party where kind in ('cmo', 'organisation');
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, planned_at) select party_id, line_id, '{ShippedProduct}', case code when 'PL02' then 'LOT2' else 'LOT1' end, '2030-01-01', 10, gateway_now() from line;
            insert into device (party_id, name, line_id, kind, registered_at) select party_id, 'plc' || right(code, 1), line_id, 'plc', gateway_now() from line;
            insert into line_fence select line_id, party_id, 1 from line;
            insert into device_command (public_id, party_id, line_id, device_id, type, reason, reason_class, fence, issued_by, issued_by_name, issued_at, deadline)
            select repeat(right(name, 1), 32)::uuid, party_id, line_id, device_id, 'identify', 'why', 'operator', 1, 'test', 'test', gateway_now() - interval '2 s', gateway_now() - interval '1 s' from device
            """);
        Task<string> RunOf(string line) => gateway.Database.ScalarAsync<string>($"select public_id::text from run join line using (line_id) where code = '{line}'");
        using (var officer = gateway.Client("officer"))
        using (var approved = await officer.PostAsync($"api/intake/mappings/{Mapping}/approve", JsonContent.Create(new { reason = "test" }), Ct))
        {
            Assert.Equal(204, (int)approved.StatusCode);
        }
        var (ownFile, otherFile) = (await SendAsync(gateway, keys["cmo"], $"api/intake/{Mapping}", "text/csv", "nothing"u8.ToArray()), await SendAsync(gateway, other, $"api/intake/{Mapping}", "text/csv", "nothing"u8.ToArray()));
        Task<T> Ask<T>(string what, string capture) => gateway.Database.ScalarAsync<T>($"select {what} from capture c where c.public_id = '{capture}'");
        const string firstEvent = "(select min(e.event_uri) from event e where e.event_id >> 20 = c.capture_id)";
        const string delivery = "(select min(d.delivery_id) from delivery d where d.document_id = c.document_id)";
        const string exception = "(select e.public_id::text from exception e where e.document_id = c.document_id)";
        return new Place(keys, own, others, await Ask<string>(firstEvent, own), await Ask<string>(firstEvent, others), await Ask<long>(delivery, own), await Ask<long>(delivery, others), await Ask<string>(exception, own), await Ask<string>(exception, others), await RunOf("PL01"), await RunOf("PL02"), ownFile, otherFile, serials);
    }

    private static Task<string> CaptureAsync(TestGateway gateway, string key, long sequence, SimulatedParty buyer) => SendAsync(gateway, key, "capture", "application/xml",
        new ShipmentGenerator(11).Xml(new ShipmentPlan(sequence, Shipper, buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), $"LOT{sequence}", new DateOnly(2029, 1, 31))));

    private static async Task<string> SendAsync(TestGateway gateway, string key, string path, string type, byte[] document)
    {
        using var http = new HttpClient { BaseAddress = gateway.Url };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await http.SendAsync(request, Ct);
        Assert.Equal(202, (int)answer.StatusCode);
        await gateway.JobAsync(answer.Headers.Location!);
        return answer.Headers.Location!.ToString().Split('/')[^1];
    }

    private static async Task<HttpResponseMessage> AskAsync(TestGateway gateway, string key, string method, string path)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = gateway.Url };
        using var request = new HttpRequestMessage(method == "*" ? HttpMethod.Get : HttpMethod.Parse(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (method is "POST" or "PUT")
        {
            // An empty document for capture, check and intake, an empty object for the rest.
            request.Content = path is "/capture" or "/api/check" or $"/api/intake/{Mapping}" ? new StringContent("", Encoding.UTF8, "application/xml") : new StringContent("{}", Encoding.UTF8, "application/json");
        }
        if (method == "*")
        {
            request.Headers.Accept.ParseAdd("text/html");
        }
        return await http.SendAsync(request, Ct);
    }

    private static async Task<int> CountAsync(TestGateway gateway, string key, string path, string text)
    {
        using var answer = await AskAsync(gateway, key, "GET", path);
        return (await answer.Content.ReadAsStringAsync(Ct)).Contains(text, StringComparison.Ordinal) ? 1 : 0;
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Placeholder();
}
