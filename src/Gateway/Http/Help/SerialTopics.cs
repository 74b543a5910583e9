namespace Gateway.Http.Help;

/// <summary>Serial numbers before they are on a pack.</summary>
internal static class SerialTopics
{
    private const string Guessing = "Commission Delegated Regulation (EU) 2016/161, Article 4";

    public static HelpTopic[] All { get; } =
    [
        new("GW-SER-01", "Request id reused", "A request for numbers came with a requestId that was used for another request: of another product, quantity, lot, line or device. Nothing was granted.", "Send the request as it was the first time to get the same numbers again, or a new requestId to get others."),
        new("GW-SER-02", "Not possible now", "The pool or the number is not in a state in which this can be done: the pool is closed, or the number was printed, is voided, or lies in its pool. The answer's detail says which. Nothing was changed.", "Look at the pool or the grant again. A number that was ever encoded goes back to no pool: account for the pack instead."),
        new("GW-SER-03", "The list is not taken", "A list of numbers has lines that cannot be taken; the findings name each. Nothing of the list is taken.", "Take those lines out or correct them at their source, and send the list again."),
        new("GW-SER-04", "Too easy to guess", "With this many numbers out of so few possible ones, somebody could guess one that is on a pack: at most one in 10,000 possible values may be issued. Nothing was made or taken.", "Make a pool whose numbers are longer or of a larger alphabet.", Guessing),
        new("GW-SER-05", "A number that is there already", "A line of a list names a number that stands in the list before, or that is in a pool already, whoever's that is.", "Ask whoever gave the list: no number is given out twice."),
        new("GW-SER-06", "No number of this pool", "A line of a list is no number of the pool: of another product, length or alphabet, or with a wrong check digit.", "Correct the line at its source, or import the list into the pool that it is meant for."),
        new("pool.low", "A pool is low", "Fewer numbers are left in a pool than its low-water mark says: a part of it (20 percent unless it says otherwise), or what its lines use in a time (15 minutes). Lines still get numbers.", "Of an external pool: import another list. Of a generated one: make a pool with longer numbers for the product."),
        new("pool.dry", "A pool is dry", "More numbers were asked for than are left in the pool. Nothing was granted, not even a part; the line that asked may stand.", "Import another list, or make a pool with longer numbers or another range, and let the line ask again; or let it ask for fewer. Numbers that other runs did not use can be returned."),
    ];
}
