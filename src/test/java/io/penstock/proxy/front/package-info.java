/**
 * The front, end to end: real sockets, scripted replicas, raw clients.
 *
 * <p>How Vert.x behaves under fault has been studied before; each thing found there that concerns the front is held here:
 *
 * <pre>
 * pool of 5 connections, hidden wait queue .......... BackPressureTest.othersAreServedMeanwhile, HeadsTest.connectionIsReused…
 * ghost requests .................................... ClientLeavesTest, PlainRoutesTest.clientThatLeaves…LeavesNoGhost
 * when the head leaves .............................. HeadsTest.headIsHeldUntilTheFirstOutputEventAndComesWithIt
 * hop-by-hop headers both ways ...................... HygieneTest
 * HTTP/2 bodies, streams, resets .................... not spoken: HTTP/1.1 only
 * HTTP/1.0 buffering ................................ HeadsTest.http10…, CutStreamTest.http10…, HeartbeatTest.http10…
 * a synchronous throw hangs the client .............. PlainProxy.dial catches; PlainRoutesTest.failingReplicaGets502InJson
 * idle timeouts kill prefill and slow readers ....... ConnectionsTest.busyConnectionIsNeverClosed, recipe.Failure02
 * time to first byte covers the head only ........... FailoverTest.operatorsTimeLimitsGet504
 * stale connections ................................. FailoverTest and PlainRoutesTest.staleConnections…, recipe.Failure06
 * names and their caches ............................ recipe.Failure07, recipe.Failure08
 * asynchronous handlers before the proxy ............ PlainRoutesTest.clientThatLeavesWhileWaiting…, multipartUpload…
 * error lines for each abort ........................ quiet handlers in Loop and FrontConnections; seen, not asserted
 * balancer state lost on a change of the list ....... recipe.Failure08.trafficFollowsTheName…
 * closing cuts streams .............................. ShutdownTest
 * no time limit for a head .......................... ConnectionsTest.connectionWithoutAWholeHeadIsClosed
 * health is green on a hung engine .................. FailoverTest.replicaJudgedDead… (the part that exists)
 * compression buffers events ........................ HygieneTest.compressedAnswersPassAsTheyAre, HeadsTest.eachEventLeavesWhenItComes
 * WebSocket bypasses the books ...................... HygieneTest.towardsTheReplica (Upgrade is dropped)
 * path labels of metrics ............................ PlainRoutesTest.storedResponseIsPassedWithItsQuery (route label)
 * forwarding headers of strangers ................... HygieneTest.towardsTheReplica, trustedProxyIsBelievedAndExtended
 * 4xx is no failure of the replica .................. FailoverTest.answersOfTheReplicaPassUnchanged…
 * empty 502, cut streams ............................ PlainRoutesTest.failingReplicaGets502InJson, CutStreamTest
 * retries multiply load ............................. FailoverTest.twoDeathsAreEnough
 * what is taken is given back once .................. Stage.settle, after every test
 * order, case and duplicates of headers ............. HeadsTest.headKeepsTheReplicasOrderAndSpelling
 * HEAD, 204, 304 .................................... HeadsTest.headIsAnsweredWithoutBody, statusesWithoutBodyStayWithoutBody
 * pipelining, keep-alive ............................ HeadsTest.twoPipelinedRequests…, ClientLeavesTest.withASecondRequestPipelined…
 * absolute form, OPTIONS * .......................... HeadsTest.absoluteForm…, FramingTest.pathsThatVertxRoutersRefuse…
 * both framings, bad codings ........................ FramingTest
 * Expect: 100-continue .............................. HeadsTest.expectIsAnsweredHere…, PlainRoutesTest.expectIsAnsweredHere
 * write queue, pause and drain ...................... BackPressureTest.replicaIsHeldBackAndGoesOnOnceTheClientReads
 * writing after the client has gone ................. ClientLeavesTest.inTheMiddleOfAFlow
 * a client that does not read cannot be closed ...... BackPressureTest.deathWhileTheClientDoesNotReadFreesEverything
 * what is held for a paused reader leaks ............ ClientLeavesTest.whileHeldBackBecauseItDoesNotRead, with leak detection
 * error event, then the cut ......................... CutStreamTest, HeartbeatTest
 * "Connection: close" closes nothing ................ ShutdownTest.lameDuckServesAndClosesTheConnectionAfterIt
 * handlers of a leaving client, FIN and RST ......... ClientLeavesTest, every phase
 * blind spot of a paused upload ..................... BodiesTest.clientThatLeavesWhileItsBodyWaitsForMemory…
 * reset calls back before it returns ................ ClientLeavesTest and FailoverTest (attempts are counted)
 * events split or joined anywhere ................... CutStreamTest.eventsSplitAnywhereArriveByteForByte
 * address, Host and pool key ........................ recipe.Failure08 (two addresses, one name), HygieneTest (Host)
 * early answer while the client sends ............... BodiesTest.clientThatWritesEverythingFirst…, PlainRoutesTest.earlyAnswer…
 * </pre>
 */
@NullMarked
package io.penstock.proxy.front;

import org.jspecify.annotations.NullMarked;
