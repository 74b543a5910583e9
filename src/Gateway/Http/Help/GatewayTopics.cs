namespace Gateway.Http.Help;

/// <summary>The gateway's own answers.</summary>
internal static class GatewayTopics
{
    private const string Rest = "EPCIS 2.0, REST binding";

    public static HelpTopic[] All { get; } =
    [
        new("GW-ACC-01", "Not signed in", "The request carries no key, or one that is unknown, wrong, expired or revoked. Which of these it is, is not told.", "Send Authorization: Bearer followed by the whole key, as it was shown when it was made. If it has expired or was revoked, ask an administrator for a new one."),
        new("GW-ACC-02", "Not allowed", "The key is valid, and its role has no permission for this.", "Use a key whose role may do it, or ask an administrator."),
        new("GW-ACC-03", "Too many requests", "More requests came with this key, or from this address without one, than the gateway admits in a minute.", "Wait as many seconds as Retry-After says and go on. Nothing of the request was done. The limits are the options of RateLimits."),
        new("GW-ACC-04", "The form is out of date", "The form was not sent by a page that the gateway gave to this browser, or that page is too old.", "Load the page again and send the form again. The browser must accept the gateway's cookies."),
        new("GW-ACC-05", "The key cannot be changed", "The key has been revoked or has expired already.", "Make a new key instead."),
        new("GW-ACC-06", "The key would carry more than its maker", "The role of the key has a permission that whoever asks for the key does not have, or one that excludes a permission he has. Who makes or rotates a key has seen it and could use it. No key was made.", "Ask for a key of a role within your own, or let somebody make it who has those permissions. Whoever operates the gateway's machine makes any key: gateway key add, gateway key rotate.", "21 CFR 11.10(g)"),
        new("GW-ACC-07", "The person cannot be changed", "The person is in that state already, or it is you: nobody manages himself. The answer's detail says which.", "Look at the person again. Another administrator manages you."),
        new("GW-HTTP-01", "Not found", "There is nothing at this address, or it belongs to another party.", "Check the address and the identifier in it. Records of other parties are not told from records that do not exist."),
        new("GW-HTTP-02", "Wrong parameter", "A parameter of the request is unknown or has a value that it cannot have; the answer's detail names it.", "Correct the parameter.", Rest),
        new("GW-HTTP-03", "Not acceptable", "The request's Accept header admits none of the forms in which this can be answered; or GS1-CBV-XML-Format asks XML for CBV values as they were captured, which only the document itself has.", "Accept application/json, or leave the header out. Events also come as application/xml, with CBV values as Always_Web_URI or Always_URN. How identifiers are spelled, GS1-EPC-Format says; without it they are answered as they were captured.", Rest),
        new("GW-HTTP-04", "Try again", "The gateway, or its database, cannot answer at the moment. Nothing was done.", "Repeat the request after the seconds that Retry-After says. If it lasts, gateway doctor tells what is not well."),
        new("GW-HTTP-05", "Outcome unknown", "The database has not confirmed whether the request took effect, so no success is told.", "Repeat the request with the same Idempotency-Key and the same bytes: if it took effect, the first answer comes again."),
        new("GW-HTTP-06", "Invalid request", "The request was read, and a member of it is missing or cannot be as it is; the answer's detail says which.", "Correct the member and send the request again."),
        new("GW-HTTP-07", "Wrong method", "This address exists and takes other methods.", "Use one of the methods that the answer's Allow header lists."),
        new("GW-HTTP-08", "The body is not JSON", "The request's Content-Type is not application/json.", "Send the body as JSON, with Content-Type: application/json."),
        new("GW-HTTP-09", "The request cannot be read", "The request's body is no well-formed JSON, or a member of it has another type than it must have, or it is missing; the answer's detail says where.", "Correct the body at the place that the detail names."),
        new("GW-HTTP-10", "Failed inside the gateway", "Something went wrong that should not. It was logged with the traceId that the answer carries.", "Repeat the request once. If it fails again, give the traceId to whoever operates the gateway."),
        new("GW-HTTP-11", "Request too large", "The request's body is larger than this address takes.", "Send less at once. Documents go to POST /capture, which has its own limit."),
        new("GW-HTTP-12", "No room in the database", "The disk of the database is full. Nothing of this request is stored.", "Make room on the database's disk. The gateway goes on by itself; whoever sent repeats the request."),
        new("GW-CAP-01", "Unsupported media type", "The Content-Type of the document is none that the gateway reads.", "Send application/xml, text/xml, application/json or application/ld+json.", Rest),
        new("GW-CAP-02", "Unsupported content encoding", "The Content-Encoding of the document is none that the gateway reads.", "Send the document plain, or with one layer of gzip."),
        new("GW-CAP-03", "Capture too large", "The document, counted after decompression, has more bytes than a capture may have.", "Divide the document and send the parts. The limit is the option Capture:MaxBytes.", Rest),
        new("GW-CAP-04", "Compression ratio too high", "The gzip body inflates more than a document does.", "Send the document plain."),
        new("GW-CAP-05", "The document cannot be read", "The document is no EPCIS document that can be read to its end. Its bytes are kept as they came; none of its events is stored.", "The findings tell what is wrong and where. Correct it and send the document again."),
        new("GW-CAP-06", "Idempotency-Key reused", "The same Idempotency-Key was sent before, with other bytes.", "Send the same bytes again to get the first answer, or send the new document with a new key."),
        new("GW-CAP-07", "Still running", "The first request with this Idempotency-Key has not finished.", "Ask again after the seconds that Retry-After says."),
        new("GW-CAP-08", "Wrong Idempotency-Key", "The Idempotency-Key is empty, too long, or has other characters than printable ASCII.", "Send 1 to 255 printable ASCII characters, such as a UUID."),
        new("GW-CAP-09", "Empty body", "The request has no document.", "Send the document as the request's body."),
        new("GW-CAP-10", "The body cannot be read", "The body ended too early, or its gzip stream is damaged.", "Send the document again. If it happens again, look at what stands between sender and gateway."),
        new("GW-CAP-11", "Processing ended without a result", "The gateway began to process this capture several times and never came to an end. The document is kept; none of its events is stored.", "Tell whoever operates the gateway; the log of that time says more. Then send the document again."),
        new("GW-CAP-12", "Too many documents at once", "The gateway is receiving as many documents, or as many bytes, as it takes at once. Nothing of this one is kept.", "Send it again after the seconds that Retry-After says. The limits are options of Capture."),
        new("GW-CAP-13", "No room for the document", "The gateway's disk has no room for a document of this size. Nothing of it is kept.", "Make room on the disk of the gateway's temporary folder; whoever sends repeats the request later."),
        new("GW-CAP-14", "The body did not arrive", "The sender's connection was too slow, was cut off, or sent something else than its headers said.", "Send the document again. If it happens again, look at what stands between sender and gateway."),
        new("GW-CAP-15", "No file was chosen", "The form came without a file, or not as a form at all.", "Choose one or several EPCIS documents, then upload or check them."),
        new("GW-CAP-16", "Too many files at once", "A form takes a limited number of files. Those listed before this one were taken, the others were not.", "Send the others with another form, or let a program send them to POST /capture."),
        new("GW-EVT-01", "The event is stored already", "An event with this eventID and the same content has been captured before. It is not stored twice.", "Nothing: repeating is harmless.", "EPCIS 2.0, eventID"),
        new("GW-EVT-02", "The eventID is taken by another event", "An event with this eventID and other content has been captured before. The first is kept.", "Give the event an eventID of its own, or correct the first one with an error declaration.", "EPCIS 2.0, eventID"),
        new("GW-EVT-03", "The eventID is in use elsewhere", "Another party has captured an event with this eventID and other content. Both events are kept, each for its own party.", "Nothing must be done. An eventID should be unique in the world: see how the system that made the event gives its ids.", "EPCIS 2.0, eventID"),
        new("GW-EVT-04", "An identifier is too long", "An eventID or EPC has more than 800 characters. It could not be looked up, so its event is not captured.", "Give the event or object an identifier of ordinary length."),
        new("GW-QRY-01", "Wrong page token", "The nextPageToken is not one that this gateway gave, has expired, or was sent with other parameters than it was given for.", "Follow the Link header as it is, or ask again from the start.", Rest),
        new("GW-PAR-01", "The partner exists", "A partner or party with this GLN exists already.", "Look at the partner with this GLN, or correct the GLN."),
        new("GW-DLV-01", "Not possible now", "The delivery is not in a state in which this can be decided, or somebody else decided meanwhile. What a person holds is resumed or closed; what waits for its partner goes on when the partner is resumed.", "Look at the delivery again and decide on what it is now. A hold ends at a moment yet to come, or has none."),
        new("GW-DLV-02", "The reason is missing", "A decision is kept with its reason, and none was given.", "Send the reason: {\"reason\":\"…\"}.", "21 CFR 11.10(e)"),
        new("GW-OPS-01", "Nothing to do", "The selection holds no delivery that this can be done to: only what needs a decision or failed can be retried, only what needs a decision can be closed, only what is delivered can be replayed.", "Look at the list of deliveries with the same filter, and ask for what its rows allow."),
        new("GW-OPS-02", "Too many deliveries", "The selection holds more deliveries than one operation takes. Nothing was begun.", "Narrow the selection, by day for instance, and begin one operation after the other. The limit is the option Operations:MaxItems."),
        new("GW-OPS-03", "Not confirmed", "The operation would be on more than a thousand deliveries, and was not confirmed with the partner's name. Nothing was begun.", "Look at how many they are. If all of them are meant, send the partner's name as it is shown, as the member confirm."),
        new("GW-OPS-04", "The operation cannot do that now", "The operation is finished or cancelled, or it is paused or running already.", "Look at the operation again. What is over can be begun anew, as another operation."),
        new("GW-EXC-01", "Not possible now", "The exception is not in a state in which this can be decided, or somebody else decided meanwhile, or what was sent with it is too long. The answer's detail says which. Nothing was changed.", "Look at the exception again, then decide about it as it is now. What is open can be resolved, dismissed or assigned; what is not can be reopened."),
    ];
}
