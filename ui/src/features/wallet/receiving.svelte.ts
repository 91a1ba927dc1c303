/** Whether the screen that receives ether is open: several places lead to it. */
class Receiving {
  open = $state(false);
}

export const receiving = new Receiving();
